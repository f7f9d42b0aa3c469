"""Read values, times and names that producers spell each in their own way; nothing here knows the shop."""
