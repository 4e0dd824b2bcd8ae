# The Homebrew formula, for a tap. A release fills the checksums in: see docs/packages.md.
class SevendigitalMcp < Formula
  desc "MCP server for 7digital's user API"
  homepage "https://github.com/sevendigital-mcp/sevendigital-mcp"
  version "0.1.0"
  license any_of: ["MIT", "Apache-2.0"]

  on_macos do
    on_arm do
      url "https://github.com/sevendigital-mcp/sevendigital-mcp/releases/download/v0.1.0/sevendigital-mcp-v0.1.0-aarch64-apple-darwin.tar.gz"
      sha256 "0000000000000000000000000000000000000000000000000000000000000000"
    end
    on_intel do
      url "https://github.com/sevendigital-mcp/sevendigital-mcp/releases/download/v0.1.0/sevendigital-mcp-v0.1.0-x86_64-apple-darwin.tar.gz"
      sha256 "0000000000000000000000000000000000000000000000000000000000000000"
    end
  end

  on_linux do
    on_arm do
      url "https://github.com/sevendigital-mcp/sevendigital-mcp/releases/download/v0.1.0/sevendigital-mcp-v0.1.0-aarch64-unknown-linux-musl.tar.gz"
      sha256 "0000000000000000000000000000000000000000000000000000000000000000"
    end
    on_intel do
      url "https://github.com/sevendigital-mcp/sevendigital-mcp/releases/download/v0.1.0/sevendigital-mcp-v0.1.0-x86_64-unknown-linux-musl.tar.gz"
      sha256 "0000000000000000000000000000000000000000000000000000000000000000"
    end
  end

  def install
    bin.install "sevendigital-mcp"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/sevendigital-mcp --version")
    assert_match "get-user-locker", shell_output("#{bin}/sevendigital-mcp tools")
  end
end
