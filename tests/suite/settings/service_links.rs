//! Variables that others set: Kubernetes, for each Service whose name begins as ours do.

use crate::support::{Variable, program, within};

/// What a pod finds of a Service by that prefix, with two named ports.
fn links(prefix: &str, host: &str) -> Vec<Variable> {
    let bracketed = if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    };
    let mut all = vec![
        (format!("{prefix}_SERVICE_HOST"), host.to_owned()),
        (format!("{prefix}_SERVICE_PORT"), "9090".to_owned()),
        (format!("{prefix}_SERVICE_PORT_HTTP"), "9090".to_owned()),
        (
            format!("{prefix}_SERVICE_PORT_METRICS_2"),
            "9464".to_owned(),
        ),
        (format!("{prefix}_PORT"), format!("tcp://{bracketed}:9090")),
    ];
    for (number, protocol) in [(9090, "tcp"), (53, "udp"), (9999, "sctp")] {
        let port = format!("{prefix}_PORT_{number}_{}", protocol.to_uppercase());
        all.extend([
            (format!("{port}_ADDR"), host.to_owned()),
            (format!("{port}_PROTO"), protocol.to_owned()),
            (format!("{port}_PORT"), number.to_string()),
            (port, format!("{protocol}://{bracketed}:{number}")),
        ]);
    }
    all
}

/// What `tools` says of these variables: nothing, if they are fine.
async fn objection(variables: &[Variable]) -> Option<String> {
    let output = within("the program", program(&["tools"], variables).output());
    let output = output.await.unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    (!output.status.success() || !told.is_empty()).then_some(told)
}

#[tokio::test]
async fn the_service_links_of_kubernetes_are_passed_over() {
    let mut all = Vec::new();
    for service in ["", "_MCP", "_SANDBOX", "_MCP_CANARY", "_PORT_SERVICE_HOST"] {
        for host in ["10.96.0.17", "fd00::17"] {
            all = links(&format!("SEVENDIGITAL{service}"), host);
            assert_eq!(objection(&all).await, None, "{all:?}");
        }
    }
    // Settings beside them are read as ever.
    all.push(("SEVENDIGITAL_MCP_HINTS".to_owned(), "lies".to_owned()));
    let told = objection(&all).await.unwrap();
    assert!(told.contains("`hints`"), "{told}");
}

#[tokio::test]
async fn what_only_looks_like_a_service_link_is_still_no_setting() {
    let rows = [
        ("SEVENDIGITAL_MCP_PORT", "9090"),
        ("SEVENDIGITAL_MCP_PORT", "http://10.0.0.1:80"),
        ("SEVENDIGITAL_MCP_SERVICE_HOST", "mcp.example.com"),
        ("SEVENDIGITAL_MCP_SERVICE_PORT", "http"),
        ("SEVENDIGITAL_MCP_SERVICE_PORTS", "80"),
        ("SEVENDIGITAL_MCP_SERVICE_PORT", "99999"),
        ("SEVENDIGITAL_MCP_PORT_9090_TCP", "10.0.0.1"),
        ("SEVENDIGITAL_MCP_PORT_HTTP_TCP", "tcp://10.0.0.1:9090"),
        ("SEVENDIGITAL_MCP_PORT_9090_TLS", "tls://10.0.0.1:9090"),
        ("SEVENDIGITAL_MCP_PORT_9090_TCP_NAME", "tcp"),
        ("SEVENDIGITAL_MCP_BIND_PORT", "9090"),
        ("SEVENDIGITAL_MCP_LIMIT_PORT", "9090"),
        ("SEVENDIGITAL_CONSUMER_KEE", "10.0.0.1"),
        ("SEVENDIGITAL_MCP_CONFIGS", "/etc/x.toml"),
    ];
    for (name, value) in rows {
        let told = objection(&[(name.to_owned(), value.to_owned())]).await;
        let told = told.unwrap_or_else(|| panic!("{name}={value} is passed over"));
        assert!(told.contains("there is no setting"), "{told}");
    }
}
