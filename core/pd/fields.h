// SPDX-License-Identifier: Apache-2.0
// What rows, commands and answers have in common on the wire and on disk (docs/FORMAT.md). The
// Take functions name what is wrong to the reader, whose Finish tells; until then their results are
// to be copied, not believed.
#ifndef FLAREDB_CORE_PD_FIELDS_H_
#define FLAREDB_CORE_PD_FIELDS_H_

#include "core/base/codec.h"
#include "core/pd/cluster.h"
#include "core/pd/mode_switch.h"
#include "core/region/region.h"

namespace flaredb::pd {

void PutFlag(bool flag, ByteWriter* out);
bool TakeFlag(ByteReader* in);

void PutMode(Mode mode, ByteWriter* out);
Mode TakeMode(ByteReader* in);

void PutStoreState(StoreState state, ByteWriter* out);
StoreState TakeStoreState(ByteReader* in);

void PutStoreDescriptor(const StoreDescriptor& store, ByteWriter* out);
StoreDescriptor TakeStoreDescriptor(ByteReader* in);

void PutStoreInfo(const StoreInfo& store, ByteWriter* out);
StoreInfo TakeStoreInfo(ByteReader* in);

void PutNamespace(const Namespace& ns, ByteWriter* out);
Namespace TakeNamespace(ByteReader* in);

void PutRegionField(const Region& region, ByteWriter* out);
Region TakeRegionField(ByteReader* in);

void PutRegionInfo(const RegionInfo& info, ByteWriter* out);
RegionInfo TakeRegionInfo(ByteReader* in);

}  // namespace flaredb::pd

#endif  // FLAREDB_CORE_PD_FIELDS_H_
