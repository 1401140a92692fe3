//! A Python environment of its own with the package to measure. All of it lies in the folder given: no
//! cache and no package of the user is read or written.

use std::path::{Path, PathBuf};
use std::process::Output;

use anyhow::{Context, Error, Result, anyhow, bail};

use crate::process;

/// What is measured.
pub(super) const PACKAGE: &str = "agenthalt==0.1.2";

/// Makes the environment and gives its interpreter.
pub(super) fn make(folder: &Path) -> Result<PathBuf> {
    let Some(python) = process::find_on_path("python3") else {
        bail!("`python3` is not on the search path; install Python 3.10 or newer (Debian's python3 and python3-venv)");
    };
    let venv = folder.join("venv");
    let mut command = process::program(&python);
    let output = command.args(["-I", "-m", "venv"]).arg(&venv).output();
    let output = output.with_context(|| format!("cannot start `{}`", python.display()))?;
    if !output.status.success() {
        return Err(without_venv(&python, &output));
    }
    let own = venv.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let mut pip = process::program(&own);
    pip.args(["-I", "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--no-cache-dir"]);
    // Wheels only: installing then runs no code of a package.
    pip.args(["--only-binary", ":all:", PACKAGE]);
    process::run(&mut pip).with_context(|| format!("cannot install `{PACKAGE}` from PyPI"))?;
    Ok(own)
}

/// Why there is no environment: Debian's python3 tells it on standard output.
fn without_venv(python: &Path, output: &Output) -> Error {
    let said = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).trim().to_owned());
    anyhow!(
        "`{} -m venv` failed ({}); install the module venv with pip (Debian and Ubuntu: `apt-get install python3-venv`)\n{}",
        python.display(),
        output.status,
        said.join("\n").trim()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn python_without_venv_is_told_with_what_to_install() {
        let output =
            Output { status: Default::default(), stdout: b"ensurepip is not available\n".into(), stderr: Vec::new() };
        let text = without_venv(Path::new("/usr/bin/python3"), &output).to_string();
        assert!(text.contains("`/usr/bin/python3 -m venv`") && text.contains("apt-get install python3-venv"), "{text}");
        assert!(text.ends_with("\nensurepip is not available"), "{text}");
    }
}
