//! The clients, one row each. The facts are of November 2026, from each client's documentation or source where it is public.

use super::facts::{Base, Client, Field, Link, Place, Places, Syntax, What};

/// The client of that name.
pub fn find(name: &str) -> Option<&'static Client> {
    CLIENTS.iter().find(|client| client.name == name)
}

const COMMAND: Field = ("command", What::Command);
const ARGS: Field = ("args", What::Args);
const ENV: Field = ("env", What::Env);
const URL: Field = ("url", What::Url);
const HEADERS: Field = ("headers", What::Headers);
const STDIO: Field = ("type", What::Text("stdio"));
/// A purchase may wait for a person, and then for 7digital.
const SECONDS: u32 = 180;

/// A client that is like Cursor, but for what a row says otherwise.
const COMMON: Client = Client {
    name: "",
    title: "",
    syntax: Syntax::Json,
    key: "mcpServers",
    places: Places::NONE,
    stdio: &[COMMAND, ARGS, ENV],
    http: &[URL, HEADERS],
    reference: ("${env:", "}"),
    link: None,
    shows_questions: false,
    rewrites_file: false,
    own_command: None,
};

/// Every client, in the order in which they are listed.
pub static CLIENTS: [Client; 12] = [
    Client {
        name: "claude-desktop",
        title: "Claude Desktop",
        places: Places {
            linux: &[Place(Base::ConfigHome, "Claude/claude_desktop_config.json")],
            mac: &[Place(
                Base::ApplicationSupport,
                "Claude/claude_desktop_config.json",
            )],
            // The packaged app sees the first; a file in the second is out of its sight.
            windows: &[
                Place(
                    Base::Package("Claude_"),
                    "Claude/claude_desktop_config.json",
                ),
                Place(Base::AppData, "Claude/claude_desktop_config.json"),
            ],
            ..Places::NONE
        },
        stdio: &[COMMAND, ARGS],
        // It starts programs only; this one, from npm, speaks HTTP for it.
        http: &[("command", What::Text("npx")), ("args", What::Bridge)],
        rewrites_file: true,
        ..COMMON
    },
    Client {
        name: "claude-code",
        title: "Claude Code",
        places: Places {
            any: &[
                Place(Base::Variable("CLAUDE_CONFIG_DIR"), ".claude.json"),
                Place(Base::Home, ".claude.json"),
            ],
            ..Places::NONE
        },
        stdio: &[STDIO, COMMAND, ARGS, ENV],
        http: &[("type", What::Text("http")), URL, HEADERS],
        // Without a default a variable that is not set is an error.
        reference: ("${", ":-}"),
        rewrites_file: true,
        own_command: Some("claude"),
        shows_questions: true,
        ..COMMON
    },
    Client {
        name: "vscode",
        title: "VS Code",
        syntax: Syntax::JsonWithCommas,
        key: "servers",
        places: Places {
            linux: &[Place(Base::ConfigHome, "Code/User/mcp.json")],
            mac: &[Place(Base::ApplicationSupport, "Code/User/mcp.json")],
            windows: &[Place(Base::AppData, "Code/User/mcp.json")],
            ..Places::NONE
        },
        stdio: &[STDIO, COMMAND, ARGS, ENV],
        http: &[("type", What::Text("http")), URL, HEADERS],
        link: Some(Link::VsCode),
        shows_questions: true,
        ..COMMON
    },
    Client {
        name: "cursor",
        title: "Cursor",
        // Closed source; its base, VS Code, reads comments.
        syntax: Syntax::JsonWithCommas,
        places: Places::home(&[Place(Base::Home, ".cursor/mcp.json")]),
        link: Some(Link::Cursor),
        shows_questions: true,
        ..COMMON
    },
    Client {
        name: "windsurf",
        title: "Windsurf",
        places: Places::home(&[Place(Base::Home, ".codeium/windsurf/mcp_config.json")]),
        http: &[("serverUrl", What::Url), HEADERS],
        ..COMMON
    },
    Client {
        name: "zed",
        title: "Zed",
        syntax: Syntax::JsonWithCommas,
        key: "context_servers",
        places: Places {
            linux: &[Place(Base::FlatpakConfigHome, "zed/settings.json")],
            mac: &[Place(Base::Home, ".config/zed/settings.json")],
            windows: &[Place(Base::AppData, "Zed/settings.json")],
            ..Places::NONE
        },
        // Without `args` it reads no entry.
        stdio: &[COMMAND, ARGS, ("env", What::Object)],
        http: &[URL],
        ..COMMON
    },
    Client {
        name: "codex",
        title: "Codex",
        syntax: Syntax::Toml,
        key: "mcp_servers",
        places: Places {
            any: &[
                Place(Base::Variable("CODEX_HOME"), "config.toml"),
                Place(Base::Home, ".codex/config.toml"),
            ],
            ..Places::NONE
        },
        stdio: &[
            COMMAND,
            ARGS,
            ("env_vars", What::EnvNames),
            ("tool_timeout_sec", What::Number(SECONDS)),
            ("tools", What::AskedTools),
        ],
        http: &[
            URL,
            ("bearer_token_env_var", What::TokenName),
            ("tool_timeout_sec", What::Number(SECONDS)),
            ("tools", What::AskedTools),
        ],
        shows_questions: true,
        ..COMMON
    },
    Client {
        name: "gemini",
        title: "Gemini CLI",
        syntax: Syntax::JsonWithComments,
        places: Places::home(&[Place(Base::Home, ".gemini/settings.json")]),
        stdio: &[
            COMMAND,
            ARGS,
            ENV,
            ("timeout", What::Number(SECONDS * 1000)),
        ],
        // Its `url` is the older transport.
        http: &[
            ("httpUrl", What::Url),
            HEADERS,
            ("timeout", What::Number(SECONDS * 1000)),
        ],
        reference: ("${", "}"),
        ..COMMON
    },
    Client {
        name: "goose",
        title: "Goose",
        syntax: Syntax::Yaml,
        key: "extensions",
        places: Places {
            linux: &[Place(Base::ConfigHome, "goose/config.yaml")],
            mac: &[Place(Base::Home, ".config/goose/config.yaml")],
            windows: &[Place(Base::AppData, "Block/goose/config/config.yaml")],
            ..Places::NONE
        },
        stdio: &[
            ("enabled", What::Yes),
            STDIO,
            ("name", What::Name),
            ("description", What::Text("7digital")),
            ("cmd", What::Command),
            ARGS,
            ("envs", What::Object),
            ("env_keys", What::EnvNames),
            ("timeout", What::Number(300)),
        ],
        http: &[
            ("enabled", What::Yes),
            ("type", What::Text("streamable_http")),
            ("name", What::Name),
            ("description", What::Text("7digital")),
            ("uri", What::Url),
            ("headers", What::Object),
            ("timeout", What::Number(300)),
        ],
        shows_questions: true,
        ..COMMON
    },
    Client {
        name: "lm-studio",
        title: "LM Studio",
        places: Places::home(&[Place(Base::Home, ".lmstudio/mcp.json")]),
        stdio: &[COMMAND, ARGS],
        http: &[URL],
        link: Some(Link::LmStudio),
        ..COMMON
    },
    Client {
        name: "cline",
        title: "Cline",
        places: Places {
            any: &[
                Place(Base::Variable("CLINE_MCP_SETTINGS_PATH"), ""),
                Place(Base::Home, ".cline/data/settings/cline_mcp_settings.json"),
            ],
            // Where the extension for VS Code had it before.
            linux: &[Place(Base::ConfigHome, CLINE_EXTENSION)],
            mac: &[Place(Base::ApplicationSupport, CLINE_EXTENSION)],
            windows: &[Place(Base::AppData, CLINE_EXTENSION)],
        },
        stdio: &[
            COMMAND,
            ARGS,
            ENV,
            ("timeout", What::Number(SECONDS)),
            ("disabled", What::No),
            ("autoApprove", What::List),
        ],
        // Without `type` it takes the older transport.
        http: &[
            ("type", What::Text("streamableHttp")),
            URL,
            HEADERS,
            ("timeout", What::Number(SECONDS)),
            ("disabled", What::No),
            ("autoApprove", What::List),
        ],
        ..COMMON
    },
    Client {
        name: "inspector",
        title: "MCP Inspector",
        places: Places {
            any: &[
                Place(Base::Variable("MCP_CATALOG_PATH"), ""),
                Place(Base::Home, ".mcp-inspector/mcp.json"),
            ],
            ..Places::NONE
        },
        stdio: &[STDIO, COMMAND, ARGS],
        http: &[
            ("type", What::Text("streamable-http")),
            URL,
            ("protocolEra", What::Text("auto")),
        ],
        shows_questions: true,
        ..COMMON
    },
];

const CLINE_EXTENSION: &str =
    "Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json";
