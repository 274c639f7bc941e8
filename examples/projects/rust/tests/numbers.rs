use luhn::is_valid;

#[test]
fn right_ones() {
    for number in ["79927398713", "4539 1488 0343 6467", "00"] {
        assert!(is_valid(number), "{}", number);
    }
}

#[test]
fn wrong_ones() {
    for number in ["79927398714", "0", "", "4539-1488-0343-6467", "12a"] {
        assert!(!is_valid(number), "{}", number);
    }
}
