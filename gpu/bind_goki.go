//go:build !vulkango

package gpu

// The Vulkan binding of a normal build. The other binding has its own file with the same names.
// Nothing else in the package mentions either module.

import vk "github.com/goki/vulkan"

type (
	vkInstance            = vk.Instance
	vkPhysicalDevice      = vk.PhysicalDevice
	vkDevice              = vk.Device
	vkQueue               = vk.Queue
	vkBuffer              = vk.Buffer
	vkDeviceMemory        = vk.DeviceMemory
	vkPipeline            = vk.Pipeline
	vkPipelineLayout      = vk.PipelineLayout
	vkPipelineCache       = vk.PipelineCache
	vkDescriptorSetLayout = vk.DescriptorSetLayout
	vkDescriptorPool      = vk.DescriptorPool
	vkDescriptorSet       = vk.DescriptorSet
	vkCommandPool         = vk.CommandPool
	vkCommandBuffer       = vk.CommandBuffer
	vkFence               = vk.Fence
	vkQueryPool           = vk.QueryPool
	vkDeviceSize          = vk.DeviceSize
	vkMemoryRequirements  = vk.MemoryRequirements
	vkMemoryProperties    = vk.PhysicalDeviceMemoryProperties
)

// Binding is the module of the Vulkan binding that the program was built with.
const Binding = "github.com/goki/vulkan"

// Only calls that pass handles, scalars, slices of handles or one flat output struct. The binding
// makes these safely under garbage collection; all other calls go through our C shim (shim.h).
var (
	vkSetGetInstanceProcAddr = vk.SetGetInstanceProcAddr
	vkInit                   = vk.Init
	vkInitInstance           = vk.InitInstance
	vkEnumeratePhysical      = vk.EnumeratePhysicalDevices
	vkGetMemoryProperties    = vk.GetPhysicalDeviceMemoryProperties
	vkGetDeviceQueue         = vk.GetDeviceQueue
	vkGetBufferRequirements  = vk.GetBufferMemoryRequirements
	vkBindBufferMemory       = vk.BindBufferMemory
	vkMapMemory              = vk.MapMemory
	vkFreeMemory             = vk.FreeMemory
	vkDeviceWaitIdle         = vk.DeviceWaitIdle
	vkWaitForFences          = vk.WaitForFences
	vkResetFences            = vk.ResetFences
	vkEndCommandBuffer       = vk.EndCommandBuffer
	vkCmdBindPipeline        = vk.CmdBindPipeline
	vkCmdBindDescriptorSets  = vk.CmdBindDescriptorSets
	vkCmdPushConstants       = vk.CmdPushConstants
	vkCmdDispatch            = vk.CmdDispatch
	vkCmdFillBuffer          = vk.CmdFillBuffer
	vkCmdWriteTimestamp      = vk.CmdWriteTimestamp
	vkCmdResetQueryPool      = vk.CmdResetQueryPool

	vkDestroyInstance            = vk.DestroyInstance
	vkDestroyDevice              = vk.DestroyDevice
	vkDestroyBuffer              = vk.DestroyBuffer
	vkDestroyPipeline            = vk.DestroyPipeline
	vkDestroyPipelineLayout      = vk.DestroyPipelineLayout
	vkDestroyPipelineCache       = vk.DestroyPipelineCache
	vkDestroyDescriptorSetLayout = vk.DestroyDescriptorSetLayout
	vkDestroyDescriptorPool      = vk.DestroyDescriptorPool
	vkDestroyCommandPool         = vk.DestroyCommandPool
	vkDestroyFence               = vk.DestroyFence
	vkDestroyQueryPool           = vk.DestroyQueryPool
)
