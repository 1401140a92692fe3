//! Where in a JSON tree something stands, written as a pointer only when somebody asks.

use agenthalt_json::push_pointer;

/// A place in a JSON tree. It costs nothing until [`Place::pointer`] writes it.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    step: Step<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Root,
    Key(&'a Place<'a>, &'a str),
    Index(&'a Place<'a>, usize),
}

impl<'a> Place<'a> {
    /// The whole tree.
    pub const ROOT: Place<'static> = Place { step: Step::Root };

    /// The value of a key of the object that stands here.
    pub fn key(&'a self, key: &'a str) -> Place<'a> {
        Place { step: Step::Key(self, key) }
    }

    /// An item of the list that stands here.
    pub fn index(&'a self, index: usize) -> Place<'a> {
        Place { step: Step::Index(self, index) }
    }

    /// The place as a JSON pointer (RFC 6901); empty for the whole tree.
    pub fn pointer(&self) -> String {
        let mut pointer = String::new();
        self.write(&mut pointer);
        pointer
    }

    fn write(&self, pointer: &mut String) {
        match self.step {
            Step::Root => {}
            Step::Key(parent, key) => {
                parent.write(pointer);
                push_pointer(pointer, key);
            }
            Step::Index(parent, index) => {
                parent.write(pointer);
                push_pointer(pointer, &index.to_string());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_are_escaped() {
        let list = Place::ROOT.key("a/b");
        let item = list.index(2);
        assert_eq!(item.key("c~d").pointer(), "/a~1b/2/c~0d");
        assert_eq!(Place::ROOT.pointer(), "");
    }
}
