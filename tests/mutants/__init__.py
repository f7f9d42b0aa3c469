"""The variants of the commit protocol that are known to be wrong, each as a switch of the test build."""
