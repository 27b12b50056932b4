"""``irisrec serve`` and ``irisrec serve-key``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def serve(
    run: Annotated[
        Path | None, typer.Argument(help="Run folder, or a link to it; may stand in --config.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="TOML file of settings; see docs/serving.md.")] = None,
    host: Annotated[
        str | None, typer.Option(help="Where to listen; 127.0.0.1 is this machine alone.")
    ] = None,
    port: Annotated[int | None, typer.Option(help="8000 where not given.")] = None,
    database: Annotated[
        str | None, typer.Option(help="History store: sqlite:///FILE or postgresql://USER@HOST/NAME.")
    ] = None,
    without_keys: Annotated[
        bool, typer.Option("--without-keys", help="Serve other machines although there are no API keys.")
    ] = False,
) -> None:
    """Serve a run over HTTP: recommendations with reasons, and a store of what people did since.

    Settings come from --config, from IRISREC_SERVE_… variables, and from these options; the last one holds.

    \b
    irisrec serve runs/shop
    curl -s localhost:8000/recommend -H 'Content-Type: application/json' -d '{"history": ["p0003"], "k": 3}'
    """
    from irisrec.memory import share_freed_memory

    share_freed_memory()
    try:
        from irisrec.startup import quick_imports

        with quick_imports(run):
            from irisrec.serving.config import ServeSettings
            from irisrec.serving.server import serve as serve_run
    except ModuleNotFoundError as error:
        from irisrec.errors import ConfigError

        raise ConfigError(f"serving needs {error.name}; pip install 'irisrec[serve]'") from None
    settings = ServeSettings.gather(
        config, run=run, host=host, port=port, database=database, without_keys=without_keys or None
    )
    print(f"irisrec: serving {settings.run} on http://{settings.host}:{settings.port}", file=sys.stderr)
    serve_run(settings)


def serve_key(
    name: Annotated[str, typer.Argument(help="Who gets the key; stands in the logs.")],
    scope: Annotated[str, typer.Option(help="'read' asks; 'write' also adds, forgets and reloads.")] = "read",
) -> None:
    """Make an API key: print it, once, and what the service's TOML file needs to know it by.

    \b
    irisrec serve-key shop-frontend
    irisrec serve-key importer --scope write
    """
    from irisrec.serving.config import ApiKey
    from irisrec.serving.keys import hashed, new_key

    key = new_key()
    kept = ApiKey.read({"name": name, "scope": scope, "sha256": hashed(key)}, "key")
    typer.echo(f"key, shown this once:  {key}\n\nfor the file of --config:\n")
    typer.echo(f'[[keys]]\nname = "{kept.name}"\nscope = "{kept.scope}"\nsha256 = "{kept.sha256}"')
