// SPDX-License-Identifier: Apache-2.0
// Counts what a program takes from the heap: linking this replaces operator new.
#ifndef FLAREDB_BENCH_HEAP_H_
#define FLAREDB_BENCH_HEAP_H_

#include <cstddef>
#include <cstdint>

namespace flaredb::bench {

struct HeapUse {
  uint64_t allocations = 0;  // Since the start of the program.
  // Held now, as the allocator rounds it up, with its own header of 8 bytes each.
  size_t bytes = 0;
};

// For programs of one thread. Over-aligned types are not counted.
HeapUse MeasureHeap();

}  // namespace flaredb::bench

#endif  // FLAREDB_BENCH_HEAP_H_
