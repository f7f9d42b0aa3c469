"""What people see of the shop: its boards, one order in a few lines, and traffic to try it with."""
