//! The allocator of a program: the system's until [`change`], a faster one behind it.
//!
//! A server allocates all its life and gains from mimalloc. A command that hands in one message gains nothing, so that it stays
//! with the system's. The mimalloc that is linked in reads `MIMALLOC_…` from the environment whenever a program starts: whoever
//! starts one can have it print its settings or take memory, which is theirs to do with a program of their own, too.
#![allow(unsafe_code, reason = "an allocator is unsafe by its trait")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::{c_char, c_int, c_void};
use std::sync::atomic::{AtomicBool, Ordering};

use libmimalloc_sys as mi;

unsafe extern "C" {
    fn mi_is_in_heap_region(block: *const c_void) -> bool;
    fn CRYPTO_set_mem_functions(
        allocate: unsafe extern "C" fn(usize, *const c_char, c_int) -> *mut c_void,
        resize: unsafe extern "C" fn(*mut c_void, usize, *const c_char, c_int) -> *mut c_void,
        release: unsafe extern "C" fn(*mut c_void, *const c_char, c_int),
    ) -> c_int;
}

/// The allocator; a program names it with `#[global_allocator]`.
pub struct Allocator;

static IS_CHANGED: AtomicBool = AtomicBool::new(false);

/// Lets new memory come from mimalloc. Blocks that are there already stay where they are until they are given back. Without
/// effect in a program that does not name [`Allocator`].
pub fn change() {
    IS_CHANGED.store(true, Ordering::Relaxed);
}

/// The same for OpenSSL. Before any thread is started; once the library has memory it stays as it is, which is as well.
pub fn change_openssl() {
    // SAFETY: the three functions keep to what malloc, realloc and free promise, and belong together.
    unsafe { CRYPTO_set_mem_functions(allocate, resize, release) };
}

/// Whether a block is one of mimalloc's. Before the change there are none.
#[inline]
fn is_ours(block: *const u8) -> bool {
    // SAFETY: the call looks the address up in a map of its own and does not read what is there.
    IS_CHANGED.load(Ordering::Relaxed) && unsafe { mi_is_in_heap_region(block.cast()) }
}

// SAFETY: each block is given back to the allocator it came from, which `is_ours` tells; sizes and alignments are passed on as they
// are. `change` only decides about new blocks, so that it does not matter which thread sees it when.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if IS_CHANGED.load(Ordering::Relaxed) {
            // SAFETY: the caller promises a layout of some size; any size and power of two will do here.
            return unsafe { mi::mi_malloc_aligned(layout.size(), layout.align()) }.cast();
        }
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if IS_CHANGED.load(Ordering::Relaxed) {
            // SAFETY: as in `alloc`.
            return unsafe { mi::mi_zalloc_aligned(layout.size(), layout.align()) }.cast();
        }
        // SAFETY: as the caller promises.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if is_ours(block) {
            // SAFETY: the block is mimalloc's, and the caller gives it up.
            return unsafe { mi::mi_free(block.cast()) };
        }
        // SAFETY: the block is the system's; the rest is as the caller promises.
        unsafe { System.dealloc(block, layout) };
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if is_ours(block) {
            // SAFETY: the block is mimalloc's and has this alignment.
            return unsafe { mi::mi_realloc_aligned(block.cast(), size, layout.align()) }.cast();
        }
        // SAFETY: the block is the system's, and stays with it; the rest is as the caller promises.
        unsafe { System.realloc(block, layout, size) }
    }
}

/// For OpenSSL; file and line are of no interest.
unsafe extern "C" fn allocate(size: usize, _: *const c_char, _: c_int) -> *mut c_void {
    // SAFETY: any size will do.
    unsafe { mi::mi_malloc(size) }
}

unsafe extern "C" fn resize(block: *mut c_void, size: usize, _: *const c_char, _: c_int) -> *mut c_void {
    // SAFETY: OpenSSL gives nothing but null and blocks of `allocate`.
    unsafe { mi::mi_realloc(block, size) }
}

unsafe extern "C" fn release(block: *mut c_void, _: *const c_char, _: c_int) {
    // SAFETY: as in `resize`.
    unsafe { mi::mi_free(block) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_both_allocators_are_resized_and_given_back() {
        let layout = Layout::from_size_align(100, 64).unwrap();
        // SAFETY: each block is used within its size and given back once, with the layout it has.
        unsafe {
            let early = Allocator.alloc(layout);
            early.write_bytes(7, 100);
            assert!(!is_ours(early));
            change();
            assert!(!is_ours(early));
            let early = Allocator.realloc(early, layout, 5000);
            assert_eq!((*early, *early.add(99)), (7, 7));
            assert!(!is_ours(early));
            Allocator.dealloc(early, Layout::from_size_align(5000, 64).unwrap());

            let late = Allocator.alloc(layout);
            assert!(is_ours(late));
            assert_eq!(late as usize % 64, 0);
            late.write_bytes(9, 100);
            let late = Allocator.realloc(late, layout, 100_000);
            assert_eq!((*late, *late.add(99)), (9, 9));
            assert_eq!(late as usize % 64, 0);
            Allocator.dealloc(late, Layout::from_size_align(100_000, 64).unwrap());

            // Large ones come straight from the system.
            let large = Layout::from_size_align(2 << 30, 4096).unwrap();
            let block = Allocator.alloc(large);
            if !block.is_null() {
                block.write(1);
                block.add(large.size() - 1).write(1);
                assert!(is_ours(block));
                Allocator.dealloc(block, large);
            }

            let zeros = Allocator.alloc_zeroed(layout);
            assert!((0..100).all(|n| *zeros.add(n) == 0));
            Allocator.dealloc(zeros, layout);
        }
    }
}
