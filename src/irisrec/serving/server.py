"""Uvicorn around the app: signals, limits, and an end that lets requests finish."""

from __future__ import annotations

import asyncio
import logging
import signal

import uvicorn

from irisrec.errors import IrisrecError
from irisrec.serving.app import create_app
from irisrec.serving.config import ServeSettings
from irisrec.serving.logs import log_json_lines
from irisrec.serving.protocol import PatientProtocol
from irisrec.serving.service import Service

LOG = logging.getLogger("irisrec.serving")


def serve(settings: ServeSettings) -> None:
    """Serve until SIGINT or SIGTERM; SIGHUP loads the run again."""
    settings.check_reach()
    log_json_lines()
    service = Service.open(settings)
    limits = settings.limits
    config = uvicorn.Config(
        create_app(service),
        host=settings.host,
        port=settings.port,
        http=PatientProtocol.within(limits.header_seconds, limits.body_seconds),
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        limit_concurrency=limits.connections,
        timeout_graceful_shutdown=settings.drain_seconds,
    )
    config.load_app()
    loop_factory = config.get_loop_factory()
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(_serve(config, service))


async def _serve(config: uvicorn.Config, service: Service) -> None:
    reloads: set[asyncio.Task[None]] = set()

    def reload() -> None:
        task = asyncio.ensure_future(_reload(service))
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    if hasattr(signal, "SIGHUP"):
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reload)
    await uvicorn.Server(config).serve()


async def _reload(service: Service) -> None:
    try:
        await service.current.reload()
    except IrisrecError as error:
        LOG.error("SIGHUP: %s", error)
