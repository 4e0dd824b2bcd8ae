"""What all packages have in common, read from Cargo.toml: the one place where the owner, the name and the version stand."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_CARGO = tomllib.loads((ROOT / "Cargo.toml").read_text())
_SHARED = _CARGO["workspace"]["package"]

NAME = _CARGO["package"]["name"]
DESCRIPTION = _CARGO["package"]["description"]
KEYWORDS = _CARGO["package"]["keywords"]
VERSION = _SHARED["version"]
LICENSE = _SHARED["license"]
REPOSITORY = _SHARED["repository"]
OWNER = re.fullmatch(r"https://github\.com/([\w.-]+)/([\w.-]+)", REPOSITORY)[1]
# The name in the MCP registry, which the README, the image and the npm package repeat to prove who owns them.
SERVER = f"io.github.{OWNER}/{NAME}"

# What a release builds, and the form of each archive.
TARGETS = {
    "x86_64-unknown-linux-gnu": "tar.gz",
    "aarch64-unknown-linux-gnu": "tar.gz",
    "x86_64-unknown-linux-musl": "tar.gz",
    "aarch64-unknown-linux-musl": "tar.gz",
    "x86_64-apple-darwin": "tar.gz",
    "aarch64-apple-darwin": "tar.gz",
    "x86_64-pc-windows-msvc": "zip",
}

# The platforms of the bundle and of the npm packages, as Node names them, and the targets that serve each, best first.
# A program that is linked with musl runs on every Linux.
PLATFORMS = {
    "linux-x64": ["x86_64-unknown-linux-musl", "x86_64-unknown-linux-gnu"],
    "linux-arm64": ["aarch64-unknown-linux-musl", "aarch64-unknown-linux-gnu"],
    "darwin-x64": ["x86_64-apple-darwin"],
    "darwin-arm64": ["aarch64-apple-darwin"],
    "win32-x64": ["x86_64-pc-windows-msvc"],
}


def stem(target):
    """The name of an archive without its ending, and of the folder in it."""
    return f"{NAME}-v{VERSION}-{target}"


def archive(target):
    return f"{stem(target)}.{TARGETS[target]}"


def program(platform):
    """The program's file name, for a target or a platform."""
    return f"{NAME}.exe" if "windows" in platform or "win32" in platform else NAME


def bundle():
    return f"{NAME}-{VERSION}.mcpb"
