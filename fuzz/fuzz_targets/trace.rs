#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ssmr_fuzz::run("trace", bytes));
