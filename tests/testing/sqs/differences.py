"""Where other servers differ from SQS: rule -> server -> what it shows instead.

moto is 5.2.5, localstack is localstack-core 4.12.0. Real SQS was never asked by us, but `test_recorded.py` holds what it
answered others. Where nothing is recorded and both agree against the rules here, doubt the rules.
"""

VALUE = "InvalidParameterValueException"

DIFFERENCES: dict[str, dict[str, object]] = {
    # It does not look at the body.
    "an_empty_body_is_refused": {
        "moto": ["done", ["done", "done"]],
        "localstack": [
            "MissingRequiredParameterException",
            ["done", ["MissingRequiredParameterException", True]],
        ],
    },
    "an_illegal_character_is_refused_alone": {
        "moto": ["done"] * 5,
        "localstack": ["done"] + [["InvalidMessageContents", False]] * 4,
    },
    # Attributes do not count against a queue's own limit, and one entry over it fails them all.
    "a_queues_own_limit_counts_bytes_and_attributes": {
        "moto": ["done"] * 4,
        "localstack": ["done", "done", [VALUE, True], VALUE],
    },
    "an_entry_over_its_queues_limit_fails_alone": {
        "moto": [f"all: {VALUE}"],
        "localstack": ["done", [VALUE, True]],
    },
    # Eleven attributes, an empty one and AWS's names all pass.
    "attributes_have_rules_of_their_own": {
        "moto": ["done"] * 5 + [VALUE],
        "localstack": ["done"] * 3 + [VALUE] * 3,
    },
    # Any group is taken, and so is a deduplication id.
    "a_standard_queue_passes_a_group_on_but_knows_no_deduplication": {"moto": ["loja-1", "done", "done"]},
    # A negative visibility is taken.
    "a_receive_has_limits": {
        "moto": [VALUE] * 4 + ["done"],
        "localstack": ["done", VALUE, VALUE, "done", "done"],
    },
    # One entry over the 12 h fails them all.
    "a_message_is_hidden_for_twelve_hours_in_all": {
        "moto": [VALUE, "done", f"all: {VALUE}"],
        "localstack": ["done", "done", "done"],
    },
    # A deleted message has another code in moto; LocalStack does not hide a visible one.
    "a_message_that_is_back_can_be_hidden_again": {
        "moto": ["ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", "done", []],
        "localstack": ["ReceiptHandleIsInvalid", VALUE, "done", ["y"]],
    },
    "a_fifo_queue_refuses_a_delete_that_comes_too_late": {"moto": ["done", []]},
    # The message is anybody's.
    "a_fifo_queue_keeps_a_message_from_old_handles": {"moto": ["done", "done"]},
    "a_fifo_batch_is_refused_whole_for_one_message": {
        "moto": ["all: MissingRequiredParameterException", f"all: {VALUE}", []]
    },
    # The value comes back as it was written, whatever it was.
    "a_boolean_may_begin_with_a_capital": {"moto": ["done", "true", "done", "False", "done"]},
    "lists_have_pages": {"moto": [["la"], True, ["lb", "lc"], False, "done"]},
    "the_sources_of_a_dead_letter_queue_have_pages": {"moto": [2, False, 2, False]},
    # A dead letter does not say where it comes from.
    "a_message_received_too_often_becomes_a_dead_letter": {
        "moto": [["1", "2"], [], "3", True, True, False],
    },
    # A FIFO target is taken, a count that is none breaks it, a missing target has another code.
    "a_redrive_policy_must_be_possible": {
        "moto": ["QueueDoesNotExist", "done", "500"],
        "localstack": ["done", "done", VALUE],
    },
    # Unknown names, values out of range and FIFO's attributes pass.
    "wrong_attributes_are_refused": {
        "moto": ["done", "done", "done", VALUE],
        "localstack": ["InvalidAttributeName", "done", "InvalidAttributeName", VALUE],
    },
    "a_fifo_queue_is_named_so": {"moto": [VALUE, "done"]},
    # It allows a purge at any time.
    "a_deleted_queue_cannot_be_created_at_once": {
        "moto": ["done", "QueueDoesNotExist", "done"],
        "localstack": ["done", "QueueDoesNotExist", "done"],
    },
    # A receive takes from all groups in order of arrival rather than many of one.
    "a_group_keeps_its_order_and_blocks_itself_alone": {"moto": [["a1", "b1"], [], ["a2", "a3"]]},
    # A group waits for all its messages, so one that was given back waits for those after it.
    "a_message_given_back_comes_before_what_follows_it": {"moto": [["b1"], []]},
    # A repeated send has an id of its own, and after a delete it is a new message.
    "a_repeated_send_is_taken_and_adds_nothing": {"moto": [False, False, False, ["x", "y"], ["x"]]},
    "a_purge_empties_a_queue_once_a_minute": {"localstack": ["done", [], "done"]},
    "a_deleted_message_is_gone": {"localstack": ["done", "done", "0", ["ReceiptHandleIsInvalid", False]]},
    "a_delay_is_at_most_fifteen_minutes": {"localstack": ["done", ["done", "done"]]},
}
