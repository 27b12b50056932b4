"""What Prometheus sees."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class Metrics:
    """The numbers of one service, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "irisrec_requests", "Requests answered.", ["method", "route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "irisrec_request_seconds",
            "From the first byte of a request to the last of its answer.",
            ["route"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.computing = Histogram(
            "irisrec_model_seconds",
            "One computation of the model.",
            ["what"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.batch = Histogram(
            "irisrec_batch_size",
            "Requests that were computed together.",
            buckets=(1, 2, 4, 8, 16, 32, 64),
            registry=self.registry,
        )
        self.waiting = Gauge(
            "irisrec_waiting_requests", "Requests that wait for the model.", registry=self.registry
        )
        self.events = Counter(
            "irisrec_events", "Events of /interactions.", ["outcome"], registry=self.registry
        )
        self.store_errors = Counter(
            "irisrec_store_errors", "Calls that the history store failed.", registry=self.registry
        )
        self.reloads = Counter("irisrec_reloads", "Reloads of the run.", ["outcome"], registry=self.registry)
        self.generation = Gauge(
            "irisrec_model_generation", "How many runs were loaded so far.", registry=self.registry
        )
        self.items = Gauge("irisrec_items", "Items that may be recommended.", registry=self.registry)

    def text(self) -> bytes:
        """Return all numbers in the text format of Prometheus."""
        return generate_latest(self.registry)
