"""Modules and AWS models that the fork server loads once for all workers; nothing else may import this module.

A start reads two megabytes of AWS's service models. The AWS client changes what it has read: a forked worker changes
its own copy, but a process that makes many clients must not share one.
"""

from functools import cache, partial

import botocore.loaders

import chaos.process  # noqa: F401 - loaded for the workers

_loader = botocore.loaders.JSONFileLoader
_load = cache(partial(_loader._load_file, None))
_loader._load_file = lambda _, path, opener: _load(path, opener)
for _service in ("endpoints", "partitions", "sdk-default-configuration", "_retry"):
    botocore.loaders.Loader().load_data(_service)
botocore.loaders.create_loader().load_service_model("sqs", "service-2")
