"""What a worker serves over HTTP: health probes, metrics and the app's boards."""
