package gpu

// #include <stdlib.h>
// #include "shim.h"
import "C"

import (
	"fmt"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/vfmrestore/restore/internal/cachefile"
)

// A pipeline cache file (internal/cachefile) holds the data of vkGetPipelineCacheData and a
// checksum. The checksum matters: drivers are known to crash on damaged data.
const (
	cacheMark    = "VFMPIPE1"
	cacheMaxSize = 256 << 20
)

// pipelineCache is a VkPipelineCache with its file. Errors of the file are ignored: a cache only
// saves time.
type pipelineCache struct {
	d      *Device
	handle vkPipelineCache
	path   string // "": no file
	mu     sync.Mutex
	dirty  atomic.Bool
	saved  cachefile.Sum // checksum of the file's data
	loaded int           // bytes of valid data found in the file
}

func (c *pipelineCache) open(d *Device, dir string) error {
	c.d = d
	c.path = cachePath(dir, d.info)
	data, sum := cachefile.Read(c.path, cacheMark, cacheMaxSize)
	c.saved, c.loaded = sum, len(data)
	var h C.uint64_t
	r := C.vfm_cache_create(d.c, unsafe.Pointer(unsafe.SliceData(data)), C.size_t(len(data)), &h)
	if r < 0 && len(data) > 0 { // the driver rejects the data: begin with an empty cache
		c.loaded = 0
		r = C.vfm_cache_create(d.c, nil, 0, &h)
	}
	if r < 0 {
		return d.fail(int(r), "vkCreatePipelineCache", d.info.Name)
	}
	c.handle = typed[vkPipelineCache](h)
	return nil
}

// cachePath names the file: one per device, driver version and cache format of the driver.
func cachePath(dir string, i Info) string {
	return cachefile.Path(dir, fmt.Sprintf("pipelines-%04x-%04x-%08x-%x-%x.bin", i.VendorID, i.DeviceID, i.driverVersion, i.deviceUUID[:], i.cacheUID[:]))
}

// markDirty notes that a pipeline was built.
func (c *pipelineCache) markDirty() { c.dirty.Store(true) }

// save writes the file if the cache has changed.
func (c *pipelineCache) save() {
	if c.path == "" || !c.dirty.Swap(false) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var p unsafe.Pointer
	var n C.size_t
	if C.vfm_cache_data(c.d.c, raw(c.handle), &p, &n) != resultSuccess || p == nil {
		return
	}
	defer C.free(p)
	if n > cacheMaxSize {
		return
	}
	data := unsafe.Slice((*byte)(p), int(n))
	sum := cachefile.SumOf(data)
	if sum == c.saved {
		return
	}
	if cachefile.Write(c.path, cacheMark, sum, data) == nil {
		c.saved = sum
	}
}

// close saves and destroys the cache.
func (c *pipelineCache) close() {
	c.save()
	vkDestroyPipelineCache(c.d.handle, c.handle, nil)
}
