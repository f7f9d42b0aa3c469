"""What the fork server reads once for all workers; nobody else may import this.

A start reads two megabytes of AWS's service models. The AWS client changes what it has read, which a forked
worker does to its own copy; a process that makes many clients must not share it.
"""

from functools import cache, partial

import botocore.loaders

import chaos.process  # noqa: F401 - imported for the workers

_loader = botocore.loaders.JSONFileLoader
_load = cache(partial(_loader._load_file, None))
_loader._load_file = lambda _, path, opener: _load(path, opener)
for _service in ("endpoints", "partitions", "sdk-default-configuration", "_retry"):
    botocore.loaders.Loader().load_data(_service)
botocore.loaders.create_loader().load_service_model("sqs", "service-2")
