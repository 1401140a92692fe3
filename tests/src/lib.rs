//! Holds the tests of the whole, in `tests/`. Nothing ships from here.
