//! The machine as the report describes it, and what makes its figures doubtful.

use slotpark_report::Machine;

use super::runner::Settings;
use crate::measure::Scale;
use crate::measure::machine::Machine as Looked;

/// This machine, now.
pub(crate) fn look(settings: Settings) -> Machine {
    let scale = if settings.quick {
        Scale::QUICK
    } else {
        Scale::FULL
    };
    let looked = Looked::look(&scale);
    let governor = governor();
    let mut warnings = looked.doubts();
    if (2..4).contains(&looked.cores) {
        let cores = looked.cores;
        warnings.push(format!(
            "{cores} cores: workloads with more threads than that measure the scheduler too"
        ));
    }
    if let Some(governor) = governor.as_ref().filter(|&name| name != "performance") {
        warnings.push(format!(
            "the clock's governor is {governor}: frequencies change while it measures"
        ));
    }
    Machine {
        cpu: looked.cpu,
        cores: looked.cores,
        memory_bytes: looked.memory_bytes,
        os: looked.os,
        kernel: looked.kernel,
        governor,
        load_average: looked.load_average,
        rustc: looked.rustc.to_owned(),
        slotpark: looked.slotpark.to_owned(),
        commit: looked.commit.to_owned(),
        optimized: looked.optimized,
        quick: looked.quick,
        unix_time: looked.unix_time,
        warnings,
    }
}

/// Of the first core; virtual machines mostly have none.
fn governor() -> Option<String> {
    let path = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor";
    let name = std::fs::read_to_string(path).ok()?;
    Some(name.trim().to_owned())
}
