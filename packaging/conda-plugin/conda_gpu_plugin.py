"""conda gpu: hands over to conda-gpu, and runs its apply after conda has made or updated an
environment from a file with a gpu: section.

Nothing here makes conda fail: what goes wrong is said on standard error, and that is all.
"""

import os
import shutil
import subprocess
import sys

from conda import plugins

NAMES = ("environment.yml", "environment.yaml")


def program():
    return os.environ.get("CONDA_GPU") or shutil.which("conda-gpu")


def gpu(arguments):
    if not program():
        print("conda gpu: there is no conda-gpu in PATH; install it first", file=sys.stderr)
        return 127
    os.execv(program(), ["conda-gpu", *arguments])


def file_of(command, given):
    """The environment file that conda has read, or None."""
    files = given.get("file") or []
    files = [files] if isinstance(files, str) else [name for name in files if isinstance(name, str)]
    files += [given[key] for key in ("environment_file", "remote_definition") if isinstance(given.get(key), str)]
    if command != "create":
        files += NAMES
    return next((name for name in files if name.endswith((".yml", ".yaml")) and os.path.exists(name)), None)


def look(file):
    """Whether there is a section, in the file or in a gpu.yml beside it, and whether the file has a name."""
    with open(file, "rb") as lines:
        keys = {line.lstrip(b"\xef\xbb\xbf").split(b":")[0] for line in lines if b":" in line}
    return b"gpu" in keys or os.path.exists(os.path.join(os.path.dirname(file), "gpu.yml")), b"name" in keys


def apply(command):
    try:
        from conda.base.context import context

        given = context._argparse_args
        file = file_of(command, given)
        if not file or not program() or context.dry_run:
            return
        has_section, has_name = look(file)
        if not has_section:
            return
        print(f"conda gpu: {file} has a gpu: section, which is applied now", file=sys.stderr)
        env = dict(os.environ)
        env.setdefault("CONDA_EXE", os.path.join(context.root_prefix, "bin", "conda"))
        where = ["-p", context.target_prefix] if given.get("prefix") or given.get("name") else []
        if has_name and not where:  # then conda takes that one, whatever is active
            env.pop("CONDA_PREFIX", None)
        # What conda prints may be JSON, so nothing is added to that.
        words = [program(), "apply", "-f", file, *where]
        if subprocess.run(words, env=env, stdin=subprocess.DEVNULL, stdout=2, check=False).returncode:
            print("conda gpu: the environment is there, but the section is not in effect", file=sys.stderr)
    except Exception as problem:  # conda has done its work, and that is what counts
        print(f"conda gpu: the section is not applied: {problem}", file=sys.stderr)


@plugins.hookimpl
def conda_subcommands():
    yield plugins.CondaSubcommand(name="gpu", summary="give environments their GPUs (conda-gpu)", action=gpu)


@plugins.hookimpl
def conda_post_commands():
    yield plugins.CondaPostCommand(
        name="conda-gpu-apply", action=apply, run_for={"create", "env_create", "env_update"}
    )
