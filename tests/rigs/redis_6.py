"""What Redis 6.2 says where newer servers say something else."""

WRAPPED = (
    "Error running script (call to f_a5e715372708d923125e99569122913081499085): @user_script:14: @user_script: 14: "
    "-READONLY You can't write against a read only replica."
)
"""A replica refused a script's write, in the words of Redis 6.2.14; 7 says READONLY."""
