"""The command ``irisrec``: one command per file, nothing heavy imported before a command runs."""

from __future__ import annotations

import os
import sys

import typer

from irisrec import __version__
from irisrec.budget import memory_budget
from irisrec.cli.add_items import add_items
from irisrec.cli.collect import app as collect
from irisrec.cli.compare import compare
from irisrec.cli.download import download
from irisrec.cli.encode import encode
from irisrec.cli.evaluate import evaluate
from irisrec.cli.explain import explain
from irisrec.cli.faithfulness import faithfulness
from irisrec.cli.features import features
from irisrec.cli.knockout import knockout
from irisrec.cli.recommend import recommend
from irisrec.cli.report import report
from irisrec.cli.reproduce import reproduce
from irisrec.cli.results import results
from irisrec.cli.robustness import robustness
from irisrec.cli.serve import serve, serve_key
from irisrec.cli.similar import similar
from irisrec.cli.train import train
from irisrec.cli.train_all import train_all
from irisrec.cli.tune import tune
from irisrec.errors import IrisrecError
from irisrec.startup import end_soon

app = typer.Typer(
    name="irisrec",
    help="Explainable multimodal top-N recommendation: train, judge, recommend, and say why.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(train)
app.command()(train_all)
app.command()(tune)
app.command()(evaluate)
app.command()(compare)
app.command()(results)
app.command()(reproduce)
app.command()(knockout)
app.command()(robustness)
app.command()(faithfulness)
app.command()(report)
app.command()(recommend)
app.command()(explain)
app.command()(similar)
app.command()(add_items)
app.command()(serve)
app.command("serve-key")(serve_key)
app.command()(encode)
app.command()(features)
app.command()(download)
app.add_typer(collect, name="collect")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"irisrec {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version."
    ),
    memory: str | None = typer.Option(
        None,
        "--memory-budget",
        help="Most memory for the process, such as 2GB; most of what is free where not given.",
    ),
) -> None:
    context.with_resource(memory_budget(memory))


def command() -> None:
    """Run the command line as a process of its own, which ends with it."""
    main()
    end_soon()


def main() -> None:
    """Run the command line.

    Exit codes: 0; 1 with one line for a user's mistake; 2 for wrong usage; 130 for Ctrl-C.
    """
    try:
        app(standalone_mode=False)
    except IrisrecError as error:
        sys.exit(_fail(str(error), 1))
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(_fail("stopped; go on with `irisrec train --resume RUN`, or repeat another command", 130))
    except BrokenPipeError:  # the reader, `head` for example, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except Exception as error:
        show = getattr(error, "show", None)  # click's own errors: wrong usage
        if show is None:
            raise
        show()
        sys.exit(getattr(error, "exit_code", 2))


def _fail(sentence: str, code: int) -> int:
    print(f"irisrec: {sentence}", file=sys.stderr)
    return code
