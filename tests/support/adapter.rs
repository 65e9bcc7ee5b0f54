//! A lab's tiny network on a graphics device.

use learnscope::compute::device::{self, DeviceChoice};
use learnscope::engine::device_check::compare;
use learnscope::kit::lab::LabSpec;

/// The lab's device check gives the same on the first adapter as on the CPU, and there the same twice. Skipped where there is no
/// adapter, unless `LEARNSCOPE_REQUIRE_ADAPTER` is set.
pub fn agrees_with_the_cpu(spec: &LabSpec) {
    let check = spec.device_check.expect("the lab has a device check");
    let cpu = check(&device::cpu()).unwrap();
    assert_eq!(cpu, check(&device::cpu()).unwrap(), "two runs of one seed");
    let Some(adapter) = device::adapters().first() else {
        let required = std::env::var_os("LEARNSCOPE_REQUIRE_ADAPTER").is_some();
        assert!(!required, "LEARNSCOPE_REQUIRE_ADAPTER is set, but no wgpu adapter was found");
        println!("skipped: no wgpu adapter on this machine");
        return;
    };
    let opened = device::open(&DeviceChoice::Gpu(adapter.name.clone())).unwrap();
    let found = compare(&cpu, &check(&opened.device).unwrap());
    assert!(found.agrees(), "{}", found.text(&opened.name));
    println!("{}", found.text(&opened.name));
}
