//! The check digit of card numbers.

/// Whether the last digit is the right one. Blanks do not count; anything else is no number.
pub fn is_valid(number: &str) -> bool {
    let digits: Option<Vec<u32>> =
        number.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(10)).collect();
    match digits {
        Some(digits) if digits.len() > 1 => {
            let sum: u32 = digits
                .iter()
                .rev()
                .enumerate()
                .map(|(at, digit)| if at % 2 == 1 { digit * 2 / 10 + digit * 2 % 10 } else { *digit })
                .sum();
            sum % 10 == 0
        }
        _ => false,
    }
}
