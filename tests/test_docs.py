"""The documents tell the truth: examples run, commands exist, links lead somewhere.

A Python block in a Markdown file is compiled and its imports from Benne must exist; one whose
fence says ``python run`` is run, in the order of the file and in the file's own namespace; one
that says ``pycon`` is a doctest. Commands in ``console``, ``sh`` or ``bash`` blocks that start with
``make`` or ``benne`` must exist with the options they are given, and every command must be
shown somewhere.
"""

from __future__ import annotations

import ast
import doctest
import functools
import importlib
import inspect
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from benne import errors

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("changelog.d/*.md")])
MANUAL = [page for page in PAGES if page.name in {"README.md", "CONTRIBUTING.md"} or page.parent.name == "docs"]
FENCE = re.compile(r"^( *)```([^\n`]*)\n(.*?)^\1```", re.M | re.S)
DOCTEST_FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE

# Where this machine keeps its files, and where packages come from, is nobody's business.
MACHINE = re.compile(
    r"(?<![\w.])/(?:work|root|home|Users)/\w"
    r"|/opt/(?:pypi|wheels)"
    r"|--(?:(?:extra-)?index-url|find-links|trusted-host)"
    r"|https?://[\w.]*(?:pypi\.org/simple|pythonhosted\.org)"
)
TEXT = {".py", ".md", ".toml", ".txt", ".in", ".yaml", ".yml", ".cfg", ".ini", ".html", ".mako", ".json", ".sql", ""}
GENERATED = {"build", "dist", "__pycache__", "mlruns"}


def page_id(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


# ----------------------------------------------------------------- examples


def test_the_examples_in_docstrings_run(module_name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_doctests(doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(module_name), module_name))


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_the_examples_in_documents_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    for language, line, code in blocks(page):
        if language == "pycon":
            parsed = doctest.DocTestParser().get_doctest(code, names, page_id(page), str(page), line)
            run_doctests([parsed], clear=False)
            names.update(parsed.globs)
        elif language == "python run":
            exec(compile("\n" * line + code, str(page), "exec"), names)


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_import_from_benne_in_documents_exists(page):
    for language, line, code in blocks(page):
        if language.split(" ")[0] == "python":
            for node in ast.walk(ast.parse("\n" * line + code, str(page))):
                assert list(unknown_imports(node)) == [], f"{page_id(page)}:{getattr(node, 'lineno', line)}"


# ----------------------------------------------------------------- commands


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_command_in_documents_exists(page):
    unknown = [problem for words in shown_commands(page) if (problem := wrong_with(words))]
    assert unknown == []


def test_every_make_target_is_shown_in_the_manual():
    shown = {word for page in MANUAL for words in shown_commands(page) if words[0] == "make" for word in words[1:]}
    assert make_targets() - shown - {"help"} == set()


def test_every_benne_command_is_shown_in_the_manual():
    shown = {known_prefix(words) for page in MANUAL for words in shown_commands(page) if words[0] == "benne"}
    assert {name for name, command in benne_commands().items() if not is_group(command)} - shown == set()


def test_every_benne_command_has_help_with_an_example():
    leaves = {name: command for name, command in benne_commands().items() if not is_group(command)}
    assert [name for name, command in leaves.items() if name not in (command.help or "")] == []


# ------------------------------------------------------------------- errors


def test_every_error_is_drawn_in_its_place_in_the_tree():
    drawn: dict[str, str | None] = {}
    path: list[str] = []
    for depth, name in re.findall(r"^    ([│├└─ ]*)(\w+)(?:  .*)?$", errors.__doc__, re.M):
        del path[len(depth) // 4 :]
        drawn[name] = path[-1] if path else None
        path.append(name)
    classes = {name: cls for name, cls in vars(errors).items() if inspect.isclass(cls)}
    parents = {
        name: [base.__name__ for base in cls.__bases__ if base.__name__ in classes] for name, cls in classes.items()
    }
    assert drawn == {name: next(iter(above), None) for name, above in parents.items()}


def test_every_error_leaf_is_also_a_builtin_error():
    leaves = [cls for cls in vars(errors).values() if inspect.isclass(cls) and not cls.__subclasses__()]
    assert [cls.__name__ for cls in leaves if len(cls.__bases__) < 2] == []


# -------------------------------------------------------- links and addresses


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_internal_link_leads_somewhere(page):
    broken = []
    text = FENCE.sub("", page.read_text("utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"", text):
        link = next(filter(None, target))
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        file = (page.parent / name).resolve() if name else page
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in anchors(file)):
            broken.append(link)
    assert broken == []


def test_no_file_names_a_place_on_this_machine_or_a_package_index():
    found = []
    for path in text_files(ROOT):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if MACHINE.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    assert found == []


# -------------------------------------------------------------- how they read


def run_doctests(tests: list[doctest.DocTest], *, clear: bool = True) -> None:
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=DOCTEST_FLAGS, verbose=False)
    for test in tests:
        runner.run(test, out=report.append, clear_globs=clear)
    assert runner.failures == 0, "".join(report)


def blocks(page: Path) -> Iterator[tuple[str, int, str]]:
    """Language as the fence says it, number of the fence's line, and text of each code block."""
    text = page.read_text("utf-8")
    for match in FENCE.finditer(text):
        indent, language, code = match.groups()
        yield language.strip(), text.count("\n", 0, match.start()) + 1, re.sub(f"^{indent}", "", code, flags=re.M)


def unknown_imports(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "benne":
        module = importlib.import_module(node.module or "")
        for alias in node.names:
            if not hasattr(module, alias.name) and not importlib.util.find_spec(f"{node.module}.{alias.name}"):
                yield f"{node.module}.{alias.name}"


def shown_commands(page: Path) -> Iterator[list[str]]:
    """Words of every line of a shell block that calls make or benne, prompts and comments removed."""
    for language, _, code in blocks(page):
        if language.split(" ")[0] in {"console", "sh", "bash", "shell"}:
            for line in code.replace("\\\n", " ").splitlines():
                for part in re.split(r"&&|\|\||[|;]", re.sub(r"^\s*\$ ", "", line)):
                    words = shlex.split(part, comments=True) if re.match(r"\s*([\w./-]*/)?(make|benne)\b", part) else []
                    if words:
                        yield [Path(words[0]).name, *words[1:]]


def wrong_with(words: list[str]) -> str | None:
    """What is wrong with a command, or None."""
    program, *arguments = words
    if program == "make":
        targets = {word for word in arguments if "=" not in word and not word.startswith("-")}
        return f"make {' '.join(targets - make_targets())}" if targets - make_targets() else None
    prefix = known_prefix(words)
    command = benne_commands().get(prefix)
    rest = words[len(prefix.split(" ")) :]
    if command is None or (is_group(command) and any(not word.startswith("-") for word in rest)):
        return " ".join(words)
    options = {"--help", "--version", *(name for p in command.params for name in [*p.opts, *p.secondary_opts])}
    unknown = [word for word in rest if word.startswith("--") and word.split("=")[0] not in options]
    return f"{prefix} {' '.join(unknown)}" if unknown else None


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text("utf-8"), re.M))


@functools.cache  # the command line is the same for every command that a page shows
def benne_commands() -> dict[str, typer.core.click.Command]:
    """Every command and group of the command line by its full name."""
    app = importlib.import_module("benne.cli").app
    found = {}
    waiting = [("benne", typer.main.get_command(app))]
    while waiting:
        name, command = waiting.pop()
        found[name] = command
        waiting += [(f"{name} {sub}", child) for sub, child in getattr(command, "commands", {}).items()]
    return found


def is_group(command: object) -> bool:
    return hasattr(command, "commands")


def known_prefix(words: list[str]) -> str:
    """The longest beginning of the words that is the name of a command."""
    commands = benne_commands()
    prefixes = (" ".join(words[:n]) for n in range(len(words), 0, -1))
    return next((prefix for prefix in prefixes if prefix in commands), words[0])


def anchors(page: Path) -> set[str]:
    """The anchors that the headings of a page get when it is shown on a forge."""
    headings = re.findall(r"^#+ +(.+?) *$", FENCE.sub("", page.read_text("utf-8")), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def text_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        hidden = path.name.startswith(".") and path.name not in {".ci", ".gitignore", ".pre-commit-config.yaml"}
        if hidden or path.name in GENERATED or path.name.endswith(".egg-info"):
            continue
        if path.is_dir():
            yield from text_files(path)
        elif path.suffix in TEXT:
            yield path
