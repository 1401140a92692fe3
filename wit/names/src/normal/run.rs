//! Characters in a row and what each of them opens to. It never opens the result again.

/// What the characters of all runs open to that are no mere shifts: each ends with its line, unless the
/// run says that each is one character.
static TEXTS: &str = include_str!("texts.txt");

/// The bit that tells a place in the texts from a character.
pub(super) const IS_TEXT: u32 = 1 << 31;

/// The bit that tells a place at which each character of the texts is one opening.
pub(super) const IS_SINGLES: u32 = 1 << 30;

/// So many characters in a row. First the first of them, above their number less one; then either the
/// first of as many characters in a row, or the place in the texts at which their openings begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run(pub(super) u32, pub(super) u32);

/// What a character opens to.
pub(super) enum Piece {
    One(char),
    Text(&'static str),
}

/// What a character opens to by a table of runs.
pub(super) fn find(runs: &[Run], c: char) -> Option<Piece> {
    let after = runs.partition_point(|run| run.0 >> 8 <= u32::from(c));
    let run = runs.get(after.checked_sub(1)?)?;
    let at = u32::from(c).checked_sub(run.0 >> 8).filter(|at| *at <= run.0 & 0xff)?;
    if run.1 & IS_TEXT == 0 {
        return char::from_u32(run.1 + at).map(Piece::One);
    }
    let texts = TEXTS.get((run.1 & !(IS_TEXT | IS_SINGLES)) as usize..)?;
    if run.1 & IS_SINGLES != 0 {
        return texts.chars().nth(at as usize).map(Piece::One);
    }
    texts.split('\n').nth(at as usize).map(Piece::Text)
}
