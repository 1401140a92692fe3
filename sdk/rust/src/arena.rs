//! The memory of a guard: handed out from a fixed arena in order, and never taken back, as an instance
//! serves one call and is dropped with its memory. It grows only where the arena is not enough.
#![expect(unsafe_code, reason = "an allocator hands out raw memory")]

use std::alloc::{GlobalAlloc, Layout};
use std::arch::wasm32::{memory_grow, memory_size};
use std::cell::{Cell, UnsafeCell};
use std::ptr::null_mut;

/// Bytes that need no `memory.grow`: enough for a common call.
const ARENA_BYTES: usize = 192 * 1024;
/// Bytes of a page of WebAssembly memory.
const PAGE_BYTES: usize = 64 * 1024;

/// The allocator that `export!` installs.
pub struct Arena {
    bytes: UnsafeCell<[u8; ARENA_BYTES]>,
    /// Where the next piece begins; zero before the first.
    next: Cell<usize>,
    /// Where the memory that may be handed out ends.
    end: Cell<usize>,
}

// SAFETY: a guard's component has one thread; the contract's host knows no other.
unsafe impl Sync for Arena {}

impl Arena {
    /// An arena that has handed out nothing.
    #[expect(clippy::new_without_default, reason = "an allocator is a constant")]
    pub const fn new() -> Arena {
        Arena { bytes: UnsafeCell::new([0; ARENA_BYTES]), next: Cell::new(0), end: Cell::new(0) }
    }

    /// Makes room for the bytes from `start` on; `None` where the host gives no more.
    fn reserve(&self, start: usize, size: usize) -> Option<()> {
        let stop = start.checked_add(size)?;
        if stop > self.end.get() {
            let pages = (stop - self.end.get()).div_ceil(PAGE_BYTES);
            if memory_grow::<0>(pages) == usize::MAX {
                return None;
            }
            self.end.set(memory_size::<0>().saturating_mul(PAGE_BYTES));
        }
        self.next.set(stop);
        Some(())
    }

    /// Whether a piece may reach so far in place: behind the arena lies memory that is not ours.
    fn reaches(&self, start: usize, size: usize) -> bool {
        start.checked_add(size).is_some_and(|stop| stop <= self.end.get())
            || self.end.get() == memory_size::<0>().saturating_mul(PAGE_BYTES)
    }

    /// Where a piece may begin that has to fit.
    fn place(&self, layout: Layout) -> Option<usize> {
        if self.next.get() == 0 {
            self.next.set(self.bytes.get() as usize);
            self.end.set(self.bytes.get() as usize + ARENA_BYTES);
        }
        let start = self.next.get().checked_next_multiple_of(layout.align())?;
        if start.checked_add(layout.size())? > self.end.get() {
            // Fresh pages lie behind all memory that there was; what is left of the arena stays unused.
            let behind = memory_size::<0>().checked_mul(PAGE_BYTES)?;
            if self.end.get() != behind {
                self.end.set(behind);
                return Some(behind);
            }
        }
        Some(start)
    }
}

// SAFETY: every piece is handed out once, aligned, and inside the arena or grown memory.
unsafe impl GlobalAlloc for Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match self.place(layout).and_then(|start| self.reserve(start, layout.size()).map(|()| start)) {
            Some(start) => start as *mut u8,
            None => null_mut(),
        }
    }

    unsafe fn dealloc(&self, piece: *mut u8, layout: Layout) {
        // The last piece is given back, as that costs nothing.
        if piece as usize + layout.size() == self.next.get() {
            self.next.set(piece as usize);
        }
    }

    unsafe fn realloc(&self, piece: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let start = piece as usize;
        if size <= layout.size() {
            return piece;
        }
        if start + layout.size() == self.next.get() && self.reaches(start, size) && self.reserve(start, size).is_some()
        {
            return piece;
        }
        // SAFETY: the caller says that `size` with this alignment is a layout.
        let fresh = unsafe { self.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        if !fresh.is_null() {
            // SAFETY: both pieces are at least so long, and the fresh one overlaps nothing.
            unsafe { std::ptr::copy_nonoverlapping(piece, fresh, layout.size().min(size)) };
        }
        fresh
    }
}
