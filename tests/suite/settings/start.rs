//! Where the server is started: in any folder, without a home, in a pod, and without a key.

use std::fs;
use std::path::Path;

use serde_json::json;
use sevendigital_sandbox::Sandbox;
use tokio::process::Command;

use crate::support::draft::Draft;
use crate::support::{
    Server, Variable, by_nobody, folder, program, root, sandbox_settings, within,
};

/// Exit code, stdout and stderr.
async fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let output = within("the program", command.output()).await.unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    (output.status.code(), out, err)
}

/// The program in that working folder, with a home or without one.
fn started_in(
    place: &Path,
    home: Option<&Path>,
    arguments: &[&str],
    variables: &[Variable],
) -> Command {
    let mut command = program(arguments, variables);
    command.current_dir(place).env_remove("HOME");
    command.envs(home.map(|home| ("HOME", home)));
    command
}

fn variable(name: &str, value: impl AsRef<Path>) -> Variable {
    (name.to_owned(), value.as_ref().to_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_file_in_the_working_folder_is_named_and_not_read() {
    let (place, home) = (folder(), folder());
    let hostile = place.path().join("sevendigital-mcp.toml");
    // Read, it would end the program.
    fs::write(&hostile, "spending = \"off\"\nno_such_setting = 1\n").unwrap();
    let warned = |told: &str| {
        told.contains("sevendigital-mcp.toml` is not read") && told.contains("--config")
    };
    for command in ["tools", "ledger list"] {
        let arguments: Vec<&str> = command.split(' ').collect();
        let mut command = started_in(place.path(), Some(home.path()), &arguments, &[]);
        let (code, _, told) = run(&mut command).await;
        assert_eq!(code, Some(0), "{told}");
        assert!(warned(&told) && told.lines().count() == 1, "{told}");
    }
    for arguments in [
        &["stdio", "--sandbox"][..],
        &["--sandbox", "--bind", "127.0.0.1:0"],
    ] {
        let server = Server::spawn(started_in(place.path(), Some(home.path()), arguments, &[]));
        server.until_logged("is not read").await;
        assert!(warned(&server.log()), "{}", server.log());
    }
    // Named by its user, it is read, and there is nothing to warn of.
    let named = variable("SEVENDIGITAL_MCP_CONFIG", &hostile);
    for (flags, variables) in [
        (&["--config", "sevendigital-mcp.toml", "tools"][..], &[][..]),
        (&["tools"], &[named]),
    ] {
        let (code, _, told) = run(&mut started_in(
            place.path(),
            Some(home.path()),
            flags,
            variables,
        ))
        .await;
        assert_eq!(code, Some(2));
        assert!(
            told.contains("`no_such_setting`") && !warned(&told),
            "{told}"
        );
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn settings_come_from_the_users_folder_or_a_file_that_is_named() {
    let (place, home) = (folder(), folder());
    let own = home.path().join(".config/sevendigital-mcp");
    fs::create_dir_all(&own).unwrap();
    fs::write(
        own.join("sevendigital-mcp.toml"),
        "tools = [\"get-user-locker\"]",
    )
    .unwrap();
    let other = place.path().join("other.toml");
    fs::write(&other, "tools = [\"get-user-details\"]").unwrap();
    let third = place.path().join("third.toml");
    fs::write(&third, "tools = [\"create-user\"]").unwrap();
    let by_variable = [variable(
        "SEVENDIGITAL_MCP_CONFIG",
        format!("{}\n", other.display()),
    )];
    let unset = [variable("SEVENDIGITAL_MCP_CONFIG", "${CONFIG}")];
    let flag = ["--config", third.to_str().unwrap(), "tools"];
    for (arguments, variables, tool) in [
        (&["tools"][..], &[][..], "get-user-locker"),
        (&["tools"], &unset, "get-user-locker"),
        (&["tools"], &by_variable, "get-user-details"),
        (&flag, &by_variable, "create-user"),
    ] {
        let (_, out, told) = run(&mut started_in(
            place.path(),
            Some(home.path()),
            arguments,
            variables,
        ))
        .await;
        assert!(
            out.contains(tool) && out.lines().count() == 2,
            "{out}{told}"
        );
        assert_eq!(told, "");
    }
    let missing = [variable("SEVENDIGITAL_MCP_CONFIG", "/no/such/file.toml")];
    let (code, _, told) = run(&mut started_in(place.path(), None, &["tools"], &missing)).await;
    assert!(
        code == Some(2) && told.contains("/no/such/file.toml"),
        "{told}"
    );
}

/// The program started in a folder that is removed before it runs.
fn in_removed_folder(mut command: Command) -> Command {
    let program = command.as_std();
    let (path, arguments) = (
        program.get_program().to_owned(),
        program
            .get_args()
            .map(ToOwned::to_owned)
            .collect::<Vec<_>>(),
    );
    let variables: Vec<_> = program
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .collect();
    let mut shell = Command::new("/bin/sh");
    shell.args([
        "-c",
        "d=$(mktemp -d) && cd \"$d\" && rmdir \"$d\" && exec \"$0\" \"$@\"",
    ]);
    shell.arg(path).args(arguments).env_clear().envs(variables);
    shell
        .env("PATH", "/usr/bin:/bin")
        .stdin(std::process::Stdio::null());
    command.kill_on_drop(true);
    shell
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn without_a_folder_to_write_to_reads_work_and_purchases_say_so() {
    let sandbox = Sandbox::start().await.unwrap();
    let variables = sandbox_settings(&sandbox.base_uri());
    let place = folder();
    // Nothing can be made there, not even by root.
    let nowhere = Path::new("/proc/nowhere");
    let calls = [
        &["call", "get-user-locker"][..],
        &[
            "call",
            "purchase-user-item",
            "--args",
            r#"{"releaseId": "11700062"}"#,
        ],
        &["ledger", "status"],
    ];
    for removed in [false, true] {
        let start = |arguments: &[&str]| {
            let command = started_in(place.path(), Some(nowhere), arguments, &variables);
            if removed {
                in_removed_folder(command)
            } else {
                command
            }
        };
        let (code, out, told) = run(&mut start(calls[0])).await;
        assert_eq!(code, Some(0), "{told}");
        assert!(out.contains("lockerRelease"), "{out}");
        let (code, _, told) = run(&mut start(calls[1])).await;
        assert_eq!(code, Some(1), "{told}");
        assert!(
            told.contains("can't be written down") && told.contains("/proc/nowhere/"),
            "{told}"
        );
        let (_, out, told) = run(&mut start(calls[2])).await;
        assert!(
            out.starts_with("/proc/nowhere/.local/state/sevendigital-mcp/ledger.sqlite\n"),
            "{out}{told}"
        );
    }
    assert_eq!(
        sandbox
            .arrivals()
            .iter()
            .filter(|arrival| arrival.path.contains("purchase"))
            .count(),
        0
    );
}

#[cfg(unix)]
#[tokio::test]
async fn the_ledger_tells_where_it_really_is() {
    let place = folder();
    fs::create_dir(place.path().join("real")).unwrap();
    std::os::unix::fs::symlink("real", place.path().join("link")).unwrap();
    let sandbox = Sandbox::start().await.unwrap();
    let variables = sandbox_settings(&sandbox.base_uri());
    let buy = [
        "call",
        "purchase-user-item",
        "--args",
        r#"{"releaseId": "11700062"}"#,
        "--state-dir",
        "link",
    ];
    let mut command = started_in(place.path(), Some(place.path()), &buy, &variables);
    let (code, _, told) = run(&mut command).await;
    assert_eq!(code, Some(0), "{told}");
    let real = place
        .path()
        .canonicalize()
        .unwrap()
        .join("real/ledger.sqlite");
    for folder in ["link", "real", "./link/../link"] {
        let arguments = ["ledger", "status", "--state-dir", folder];
        let mut command = started_in(place.path(), Some(place.path()), &arguments, &variables);
        let (_, out, _) = run(&mut command).await;
        assert_eq!(out.lines().next(), real.to_str(), "{folder}");
    }
}

#[tokio::test]
async fn started_without_a_key_it_says_so_at_once_and_goes_on() {
    let place = folder();
    let pasted = [variable("SEVENDIGITAL_CONSUMER_KEY", "…")];
    for variables in [&[][..], &pasted] {
        let state = ["--state-dir", place.path().to_str().unwrap()];
        let mut stdio = Server::spawn(program(&[&["stdio"][..], &state].concat(), variables));
        let mut http = Server::spawn(program(
            &[&["--bind", "127.0.0.1:0"][..], &state].concat(),
            variables,
        ));
        for server in [&stdio, &http] {
            server.until_logged("no 7digital consumer key is set").await;
            for part in [
                "SEVENDIGITAL_CONSUMER_KEY",
                "SEVENDIGITAL_CONSUMER_SECRET",
                "--sandbox",
            ] {
                assert!(server.log().contains(part), "{}", server.log());
            }
            assert_eq!(server.log().contains("placeholder"), !variables.is_empty());
        }
        stdio.hello().await;
        http.listens(1).await;
    }
    let mut sandbox = Server::spawn(program(&["stdio", "--sandbox"], &[]));
    sandbox.hello().await;
    assert!(!sandbox.log().contains("consumer key"), "{}", sandbox.log());
}

/// As a pod starts it: nothing in the environment but what Kubernetes puts there, no home, and nothing that can be written to.
fn in_a_pod(arguments: &[&str]) -> Command {
    let links = [
        ("SEVENDIGITAL_MCP_SERVICE_HOST", "10.96.0.17"),
        ("SEVENDIGITAL_MCP_SERVICE_PORT", "9090"),
        ("SEVENDIGITAL_MCP_SERVICE_PORT_HTTP", "9090"),
        ("SEVENDIGITAL_MCP_PORT", "tcp://10.96.0.17:9090"),
        ("SEVENDIGITAL_MCP_PORT_9090_TCP", "tcp://10.96.0.17:9090"),
        ("SEVENDIGITAL_MCP_PORT_9090_TCP_PROTO", "tcp"),
        ("SEVENDIGITAL_MCP_PORT_9090_TCP_PORT", "9090"),
        ("SEVENDIGITAL_MCP_PORT_9090_TCP_ADDR", "10.96.0.17"),
        ("KUBERNETES_SERVICE_HOST", "10.96.0.1"),
    ];
    let links = links.map(|(name, value)| (name.to_owned(), value.to_owned()));
    // The root of /proc is read-only for everybody.
    let place = Path::new(if cfg!(target_os = "linux") {
        "/proc"
    } else {
        "/"
    });
    started_in(place, None, arguments, &links)
}

#[cfg(unix)]
#[tokio::test]
async fn in_a_pod_it_starts_and_answers_a_call_and_a_probe() {
    let place = folder();
    let arguments = ["--sandbox", "--bind", "127.0.0.1:0"];
    let nobody = by_nobody(place.path(), &in_a_pod(&arguments));
    for command in [Some(in_a_pod(&arguments)), nobody].into_iter().flatten() {
        let mut server = Server::spawn(command);
        server.listens(1).await;
        let url = server.address("/mcp");
        for (tool, call) in [
            ("get-user-locker", json!({})),
            ("purchase-user-item", json!({"releaseId": "11700062"})),
        ] {
            let answer = Draft::call(&url, tool, &call).send().await;
            assert_eq!(answer.status, 200, "{answer:?}");
            assert!(
                !answer.json()["result"]["isError"]
                    .as_bool()
                    .unwrap_or(false),
                "{answer:?}"
            );
        }
        let probe = Draft::new(&url, "GET", "/readyz").with("Host", "10.244.1.7:9090");
        assert_eq!(probe.send().await.status, 200);
        assert!(!server.log().contains("WARN"), "{}", server.log());
        server.signal("TERM");
        assert!(server.ended().await.success());
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_user_without_a_name_and_a_home_reads_and_buys_nothing() {
    let (place, sandbox) = (folder(), Sandbox::start().await.unwrap());
    let variables = sandbox_settings(&sandbox.base_uri());
    let buy = [
        "call",
        "purchase-user-item",
        "--args",
        r#"{"releaseId": "11700062"}"#,
    ];
    for (arguments, code, words) in [
        (&["call", "get-user-locker"][..], 0, "lockerRelease"),
        (&buy, 1, "can't be written down"),
        (&["ledger", "status"], 2, "nowhere"),
    ] {
        let command = started_in(Path::new("/proc"), None, arguments, &variables);
        let Some(mut command) = by_nobody(place.path(), &command) else {
            return;
        };
        let (found, out, told) = run(&mut command).await;
        assert_eq!(found, Some(code), "{out}{told}");
        assert!(out.contains(words) || told.contains(words), "{out}{told}");
        assert!(
            code == 0 || told.contains("SEVENDIGITAL_MCP_STATE_DIR"),
            "{told}"
        );
    }
}

/// `cargo run` gives the program what the build script sets for the compiler, and a name of ours would be taken for a setting.
#[tokio::test]
async fn what_cargo_run_puts_into_the_environment_is_no_setting() {
    let script = fs::read_to_string(root().join("build.rs")).unwrap();
    let set = script.split("cargo::rustc-env=").skip(1);
    let names: Vec<&str> = set.filter_map(|rest| rest.split('=').next()).collect();
    assert!(!names.is_empty(), "the build script names the commit");
    for name in names {
        let variables = [(name.to_owned(), "0123456789ab".to_owned())];
        let (code, _, told) = run(&mut program(&["tools"], &variables)).await;
        assert_eq!(code, Some(0), "{name}: {told}");
    }
}
