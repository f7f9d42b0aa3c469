"""The rules of the shop: how events become the state of an order or a product, whatever their order of arrival."""
