// SPDX-License-Identifier: Apache-2.0
#include "bench/heap.h"

#include <malloc.h>

#include <cstdlib>
#include <new>

namespace flaredb::bench {
namespace {

HeapUse use;

size_t SizeOf(void* p) { return malloc_usable_size(p) + sizeof(size_t); }

}  // namespace

HeapUse MeasureHeap() { return use; }

static void* Take(size_t size) {
  void* const p = std::malloc(size);
  if (p == nullptr) throw std::bad_alloc();
  ++use.allocations;
  use.bytes += SizeOf(p);
  return p;
}

static void Give(void* p) {
  if (p == nullptr) return;
  use.bytes -= SizeOf(p);
  std::free(p);
}

}  // namespace flaredb::bench

void* operator new(size_t size) { return flaredb::bench::Take(size); }
void operator delete(void* p) noexcept { flaredb::bench::Give(p); }
void operator delete(void* p, size_t) noexcept { flaredb::bench::Give(p); }
