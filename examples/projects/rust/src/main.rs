use std::env;
use std::process::exit;

fn main() {
    let number = env::args().skip(1).collect::<Vec<_>>().join(" ");
    let valid = luhn::is_valid(&number);
    println!("{}", if valid { "valid" } else { "not valid" });
    exit(if valid { 0 } else { 1 });
}
