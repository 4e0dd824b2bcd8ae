#!/usr/bin/env node
// Starts the program of this system's package, which npm has installed beside this one.
"use strict";
const { spawn } = require("node:child_process");
const { name } = require("./package.json");

const platform = `${process.platform}-${process.arch}`;
const file = process.platform === "win32" ? "sevendigital-mcp.exe" : "sevendigital-mcp";
let program;
try {
  program = require.resolve(`${name}-${platform}/${file}`);
} catch {
  console.error(`error: ${name}-${platform} is not installed: there is none for this system, or npm left optional dependencies out`);
  process.exit(2);
}

const child = spawn(program, process.argv.slice(2), { stdio: "inherit" });
// A terminal sends Ctrl-C to the program too, and twice would mean: don't wait for calls in flight.
process.on("SIGINT", () => {});
for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("error", (error) => {
  console.error(`error: ${program} can't be started: ${error.message}`);
  process.exit(2);
});
child.on("exit", (code, signal) => {
  if (signal) {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  } else {
    process.exit(code);
  }
});
