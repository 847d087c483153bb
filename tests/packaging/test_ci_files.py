"""What else a CI job takes from here: GitLab's job, the container, the scripts, and the examples that people copy."""

import re
import subprocess

import pytest

from tests.packaging.published import CHECKOUT, Node, Schema, complaints, lint, parsed

GITLAB = (CHECKOUT / ".ci/gitlab.yml").read_text(encoding="utf-8")
DOCKERFILE = (CHECKOUT / "Dockerfile").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", (CHECKOUT / "docs/ci.md").read_text(encoding="utf-8"), re.M | re.S)
SCRIPTS = [".ci/install-for-action", ".ci/run", ".ci/set-up", ".ci/interop-servers", "benchmarks/fetch-peers"]


def table(node: Node) -> dict[str, Node]:
    assert isinstance(node, dict)
    return node


def list_of(node: Node) -> list[Node]:
    assert isinstance(node, list)
    return node


def instructions(name: str) -> list[str]:
    """Return the arguments of every instruction of this name, continued lines joined."""
    joined = re.sub(r"\\\n\s*", " ", DOCKERFILE)
    return [line.split(maxsplit=1)[1] for line in joined.splitlines() if line.startswith(f"{name} ")]


def test_gitlabs_job_fits_the_published_schema() -> None:
    assert complaints(GITLAB, "vendor.gitlab-ci") == []


def test_gitlabs_job_keeps_its_reports_when_it_fails() -> None:
    job = table(parsed(GITLAB)[".mailproof"])
    artifacts, variables = table(job["artifacts"]), table(job["variables"])
    assert job["script"] == ["mailproof ci"]
    assert artifacts["when"] == "always"
    assert artifacts["paths"] == [f"{variables['MAILPROOF_OUT']}/"]
    assert artifacts["reports"] == {"junit": f"{variables['MAILPROOF_OUT']}/junit/*.xml"}


def schema_of(example: str) -> Schema:
    return "vendor.github-workflows" if "runs-on:" in example else "vendor.gitlab-ci"


def test_there_are_examples_of_both() -> None:
    assert {schema_of(example) for example in EXAMPLES} == {"vendor.github-workflows", "vendor.gitlab-ci"}


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_fits_the_published_schema(example: str) -> None:
    assert complaints(example, schema_of(example)) == []


def test_an_example_uses_inputs_that_there_are_and_gives_those_that_must_be() -> None:
    inputs = table(parsed((CHECKOUT / "action.yml").read_text(encoding="utf-8"))["inputs"])
    needed = {name for name, of in inputs.items() if table(of).get("required")}
    used = [
        table(step["with"])
        for example in EXAMPLES if schema_of(example) == "vendor.github-workflows"
        for job in table(parsed(example)["jobs"]).values()
        for step in map(table, list_of(table(job)["steps"])) if "/mailproof@" in str(step.get("uses"))
    ]  # fmt: skip
    assert used
    for given in used:
        assert needed <= set(given) <= set(inputs)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_is_sound_shell(name: str) -> None:
    shell = (CHECKOUT / name).read_text().partition("\n")[0].rpartition("/")[2].split()[-1]
    subprocess.run([shell, "-n", CHECKOUT / name], check=True)
    assert lint("shellcheck", CHECKOUT / name) == ""


def test_the_dockerfile_has_nothing_that_its_linter_minds() -> None:
    assert lint("hadolint", "--no-color", CHECKOUT / "Dockerfile") == ""


def test_the_container_is_made_in_two_stages_from_a_pinned_base() -> None:
    build, final = instructions("FROM")
    assert build.endswith(" AS build")
    assert build.removesuffix(" AS build") == final
    assert re.fullmatch(r"python:3\.\d+-slim-[a-z]+", final)
    assert [copied for copied in instructions("COPY") if copied.startswith("--from=")] == ["--from=build /venv /venv"]


def test_the_container_runs_mailproof_as_nobody_in_particular_and_keeps_no_cache() -> None:
    assert instructions("ENTRYPOINT") == ['["mailproof"]']
    assert instructions("HEALTHCHECK") == ["NONE"]
    [user] = instructions("USER")
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user)
    assert all("--no-cache-dir" in line for line in instructions("RUN") if "pip" in line and "install" in line)


def test_what_the_container_writes_goes_where_the_results_go() -> None:
    [environment] = instructions("ENV")
    [home] = [path for path in instructions("WORKDIR") if path != "/source"]
    assert f"TMPDIR={home}/out" in environment.split()


def test_the_container_is_given_what_a_wheel_holds_and_nothing_else() -> None:
    copied = {name.removeprefix("./") for line in instructions("COPY") for name in line.split()[:-1] if name[0] != "-"}
    copied -= {"/venv"}
    kept = {line[1:] for line in (CHECKOUT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert copied == kept
    packages = {path.parent.name for path in CHECKOUT.glob("*/__init__.py")} - {"benchmarks", "tests"}
    assert packages < copied
    assert all((CHECKOUT / name).exists() for name in kept)
