# Common commands: `just run`, `just test`, `just ci`, `just bench`, `just docs`. https://just.systems

# Start the server in front of its sandbox, over MCP and REST.
run *flags:
    cargo run --locked -- --sandbox --rest {{flags}}

# Run all tests, or those that a filter selects: just test -E 'test(purchase)'
test *filter:
    cargo nextest run --workspace --locked {{filter}}

# Run everything that must pass before a change lands.
ci:
    .ci/run

# Measure: parts of a call, instructions of whole calls, and the server under load. Flags are those of the load driver: just bench --rounds 1
bench *flags:
    cargo build --release --workspace --locked
    cargo bench --locked -p sevendigital-benches
    benches/instructions
    target/release/load {{flags}}

# Measure what a call costs as the work grows, and draw it into docs/performance. Takes most of an hour.
curves *flags:
    benches/curves {{flags}}

# Build the API documentation of all crates and open it.
docs:
    cargo doc --workspace --no-deps --locked --open
