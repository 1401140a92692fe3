//! What a measurement ran on, as far as the system tells it. It names no host and no user.

use std::fs;
use std::path::Path;

use crate::process;

/// One line about the processor, the system, where state lies and what else ran.
pub(super) fn describe(folder: &Path) -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = model(&info).unwrap_or("processor unknown");
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let files = process::read(process::program("stat").args(["-f", "-c", "%T"]).arg(folder));
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    format!(
        "{model}, {cores} cores; {} {}; temporary files on {}; load of the minute before {}",
        std::env::consts::OS,
        std::env::consts::ARCH,
        files.as_deref().unwrap_or("a file system unknown"),
        load.split(' ').next().filter(|load| !load.is_empty()).unwrap_or("unknown"),
    )
}

fn model(info: &str) -> Option<&str> {
    let line = info.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(": ").map(|(_, model)| model.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn model_is_read_where_the_system_tells_it() {
        assert_eq!(model("processor\t: 0\nmodel name\t: Some Processor @ 2 GHz\n"), Some("Some Processor @ 2 GHz"));
        assert_eq!(model("processor\t: 0\n"), None);
    }
}
