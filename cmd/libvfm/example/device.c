/* Restores a picture on a Vulkan device of the program's own, and uses the device before, meanwhile
 * and afterwards. Build and run, from the repository's root (Debian: libvulkan-dev):
 *
 *   make lib
 *   cc -Ibin cmd/libvfm/example/device.c -o bin/device -Lbin -lvfm -lvulkan -lpthread \
 *     -Wl,-rpath,'$ORIGIN'
 *   bin/device
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vulkan/vulkan.h>

#include "vfm.h"

enum { W = 90, H = 60, WORDS = 1024 };
#define LAYER "VK_LAYER_KHRONOS_validation"

static char err[512];
static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER; /* of the queue */
static int messages; /* of the validation layer */
static unsigned locks;

static void check(vfm_status s, const char *what)
{
	if (s != VFM_OK) {
		fprintf(stderr, "%s: status %d: %s\n", what, (int)s, err);
		exit(1);
	}
}

static void vk(VkResult r, const char *what)
{
	if (r != VK_SUCCESS) {
		fprintf(stderr, "%s: VkResult %d\n", what, (int)r);
		exit(1);
	}
}

static VkBool32 message(VkDebugUtilsMessageSeverityFlagBitsEXT severity, VkDebugUtilsMessageTypeFlagsEXT types,
                        const VkDebugUtilsMessengerCallbackDataEXT *data, void *user)
{
	(void)severity, (void)types, (void)user;
	fprintf(stderr, "validation: %s\n", data->pMessage);
	__atomic_add_fetch(&messages, 1, __ATOMIC_SEQ_CST);
	return VK_FALSE;
}

static void lock_queue(uint64_t cookie)
{
	pthread_mutex_lock((pthread_mutex_t *)(uintptr_t)cookie);
	locks++;
}

static void unlock_queue(uint64_t cookie)
{
	pthread_mutex_unlock((pthread_mutex_t *)(uintptr_t)cookie);
}

/* The program's own use of Vulkan. */
struct own {
	VkInstance instance;
	VkDebugUtilsMessengerEXT messenger;
	VkPhysicalDevice physical;
	char name[VK_MAX_PHYSICAL_DEVICE_NAME_SIZE];
	uint32_t family;
	VkDevice device;
	VkQueue queue;
	VkBuffer buffer;
	VkDeviceMemory memory;
	uint32_t *words;
	VkCommandPool pool;
	VkCommandBuffer commands;
	VkFence fence;
	uint32_t value;
	int stop;
};

/* The features that the library can use, as far as the device has them. */
struct features {
	VkPhysicalDeviceFeatures2 core;
	VkPhysicalDevice16BitStorageFeatures storage16;
	VkPhysicalDeviceShaderFloat16Int8Features float16;
	VkPhysicalDeviceBufferDeviceAddressFeatures address;
	VkPhysicalDeviceSubgroupSizeControlFeaturesEXT subgroups;
};

/* Of these features. The last two are part of Vulkan 1.2. */
static const char *const extensions[] = {"VK_EXT_subgroup_size_control", "VK_KHR_shader_float16_int8", "VK_KHR_buffer_device_address"};
enum { EXTENSIONS = sizeof extensions / sizeof *extensions };

static int has_layer(void)
{
	VkLayerProperties list[64];
	uint32_t n = 64;
	if (vkEnumerateInstanceLayerProperties(&n, list) < 0)
		return 0;
	for (uint32_t i = 0; i < n; i++)
		if (!strcmp(list[i].layerName, LAYER))
			return 1;
	return 0;
}

static int has_extensions(VkPhysicalDevice p)
{
	static VkExtensionProperties list[512];
	uint32_t n = 512;
	int found = 0;
	if (vkEnumerateDeviceExtensionProperties(p, NULL, &n, list) < 0)
		return 0;
	for (uint32_t i = 0; i < n; i++)
		for (int k = 0; k < EXTENSIONS; k++)
			found += !strcmp(list[i].extensionName, extensions[k]);
	return found == EXTENSIONS;
}

static void open_instance(struct own *o, uint32_t api)
{
	VkDebugUtilsMessengerCreateInfoEXT debug = {
		VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT, NULL, 0,
		VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
		VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT, message, NULL};
	const char *layers[] = {LAYER}, *names[] = {"VK_EXT_debug_utils"};
	uint32_t n = has_layer() ? 1 : 0;
	VkApplicationInfo app = {VK_STRUCTURE_TYPE_APPLICATION_INFO, NULL, "device.c", 1, NULL, 0, api};
	VkInstanceCreateInfo info = {VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO, NULL, 0, &app, n, layers, n, names};
	vk(vkCreateInstance(&info, NULL, &o->instance), "vkCreateInstance");
	if (n) {
		PFN_vkCreateDebugUtilsMessengerEXT create = (PFN_vkCreateDebugUtilsMessengerEXT)vkGetInstanceProcAddr(o->instance, "vkCreateDebugUtilsMessengerEXT");
		vk(create(o->instance, &debug, NULL, &o->messenger), "vkCreateDebugUtilsMessengerEXT");
	}
	uint32_t one = 1;
	if (vkEnumeratePhysicalDevices(o->instance, &one, &o->physical) < 0 || one == 0) {
		fprintf(stderr, "no Vulkan device\n");
		exit(1);
	}
	VkPhysicalDeviceProperties p;
	vkGetPhysicalDeviceProperties(o->physical, &p);
	strcpy(o->name, p.deviceName);
	printf("own device: %s, Vulkan 1.%u, %s the validation layer\n", o->name, (unsigned)VK_VERSION_MINOR(api), n ? "with" : "without");
}

static void close_instance(struct own *o)
{
	if (o->messenger) {
		PFN_vkDestroyDebugUtilsMessengerEXT destroy = (PFN_vkDestroyDebugUtilsMessengerEXT)vkGetInstanceProcAddr(o->instance, "vkDestroyDebugUtilsMessengerEXT");
		destroy(o->instance, o->messenger, NULL);
	}
	vkDestroyInstance(o->instance, NULL);
}

static void open_device(struct own *o, struct features *f)
{
	VkQueueFamilyProperties families[16];
	uint32_t n = 16;
	vkGetPhysicalDeviceQueueFamilyProperties(o->physical, &n, families);
	while (o->family < n && !(families[o->family].queueFlags & VK_QUEUE_COMPUTE_BIT))
		o->family++;
	float priority = 1;
	VkDeviceQueueCreateInfo queue = {VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO, NULL, 0, o->family, 1, &priority};
	VkDeviceCreateInfo info = {VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO, f, 0, 1, &queue, 0, NULL, f ? EXTENSIONS : 0, extensions, NULL};
	vk(vkCreateDevice(o->physical, &info, NULL, &o->device), "vkCreateDevice");
	vkGetDeviceQueue(o->device, o->family, 0, &o->queue);
}

/* A list of commands that fills a buffer. */
static void prepare(struct own *o)
{
	VkBufferCreateInfo buffer = {VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, NULL, 0, 4 * WORDS, VK_BUFFER_USAGE_TRANSFER_DST_BIT, VK_SHARING_MODE_EXCLUSIVE, 0, NULL};
	vk(vkCreateBuffer(o->device, &buffer, NULL, &o->buffer), "vkCreateBuffer");
	VkMemoryRequirements need;
	vkGetBufferMemoryRequirements(o->device, o->buffer, &need);
	VkPhysicalDeviceMemoryProperties have;
	vkGetPhysicalDeviceMemoryProperties(o->physical, &have);
	const VkMemoryPropertyFlags want = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
	uint32_t type = 0;
	while (!(need.memoryTypeBits >> type & 1) || (have.memoryTypes[type].propertyFlags & want) != want)
		type++;
	VkMemoryAllocateInfo memory = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, NULL, need.size, type};
	vk(vkAllocateMemory(o->device, &memory, NULL, &o->memory), "vkAllocateMemory");
	vk(vkBindBufferMemory(o->device, o->buffer, o->memory, 0), "vkBindBufferMemory");
	vk(vkMapMemory(o->device, o->memory, 0, VK_WHOLE_SIZE, 0, (void **)&o->words), "vkMapMemory");
	VkCommandPoolCreateInfo pool = {VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO, NULL, VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT, o->family};
	vk(vkCreateCommandPool(o->device, &pool, NULL, &o->pool), "vkCreateCommandPool");
	VkCommandBufferAllocateInfo commands = {VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO, NULL, o->pool, VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1};
	vk(vkAllocateCommandBuffers(o->device, &commands, &o->commands), "vkAllocateCommandBuffers");
	VkFenceCreateInfo fence = {VK_STRUCTURE_TYPE_FENCE_CREATE_INFO, NULL, 0};
	vk(vkCreateFence(o->device, &fence, NULL, &o->fence), "vkCreateFence");
}

static void work(struct own *o)
{
	VkCommandBufferBeginInfo begin = {VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO, NULL, 0, NULL};
	vk(vkBeginCommandBuffer(o->commands, &begin), "vkBeginCommandBuffer");
	vkCmdFillBuffer(o->commands, o->buffer, 0, VK_WHOLE_SIZE, ++o->value);
	VkMemoryBarrier visible = {VK_STRUCTURE_TYPE_MEMORY_BARRIER, NULL, VK_ACCESS_TRANSFER_WRITE_BIT, VK_ACCESS_HOST_READ_BIT};
	vkCmdPipelineBarrier(o->commands, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &visible, 0, NULL, 0, NULL);
	vk(vkEndCommandBuffer(o->commands), "vkEndCommandBuffer");
	VkSubmitInfo submit = {VK_STRUCTURE_TYPE_SUBMIT_INFO, NULL, 0, NULL, NULL, 1, &o->commands, 0, NULL};
	pthread_mutex_lock(&queue_lock);
	VkResult r = vkQueueSubmit(o->queue, 1, &submit, o->fence);
	pthread_mutex_unlock(&queue_lock);
	vk(r, "vkQueueSubmit");
	vk(vkWaitForFences(o->device, 1, &o->fence, VK_TRUE, UINT64_MAX), "vkWaitForFences");
	vk(vkResetFences(o->device, 1, &o->fence), "vkResetFences");
	for (int i = 0; i < WORDS; i++)
		if (o->words[i] != o->value) {
			fprintf(stderr, "word %d of the program's own buffer is %u, not %u\n", i, (unsigned)o->words[i], (unsigned)o->value);
			exit(1);
		}
}

/* Works until stop is set. */
static void *work_on(void *p)
{
	struct own *o = p;
	while (!__atomic_load_n(&o->stop, __ATOMIC_SEQ_CST))
		work(o);
	return NULL;
}

static void close_own(struct own *o)
{
	vkDestroyFence(o->device, o->fence, NULL);
	vkDestroyCommandPool(o->device, o->pool, NULL);
	vkDestroyBuffer(o->device, o->buffer, NULL);
	vkFreeMemory(o->device, o->memory, NULL);
	vkDestroyDevice(o->device, NULL); /* the validation layer would list what the library left */
	close_instance(o);
}

static void restore_picture(const vfm_config *cfg, unsigned char *in, unsigned char *out)
{
	vfm_model model;
	vfm_format rgb = {0};
	vfm_frame src = {0}, dst = {0};
	vfm_request req = {0};
	src.size = dst.size = sizeof src;
	req.size = sizeof req;
	req.task = "denoise";
	req.width = W;
	req.height = H;
	req.noise = 15;
	check(vfm_open(cfg, &model, err, sizeof err), "open");
	check(vfm_tight(&rgb, W, H, in, 3 * W * H, &src, err, sizeof err), "tight");
	check(vfm_tight(&rgb, W, H, out, 3 * W * H, &dst, err, sizeof err), "tight");
	check(vfm_restore(model, &req, &src, &dst, err, sizeof err), "restore");
	vfm_close(model); /* nothing of the library is left on the device */
}

/* Restores the picture on a device of the program's own, with all features or none. Returns the
 * largest difference from what the library's own device gave. */
static int compare(uint32_t api, int all, unsigned char *in, unsigned char *want)
{
	static unsigned char out[3 * W * H];
	struct own o = {0};
	struct features f = {0};
	struct features *used = NULL;
	open_instance(&o, api);
	if (all && has_extensions(o.physical)) {
		f.core.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
		f.core.pNext = &f.storage16;
		f.storage16.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES;
		f.storage16.pNext = &f.float16;
		f.float16.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES;
		f.float16.pNext = &f.address;
		f.address.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_BUFFER_DEVICE_ADDRESS_FEATURES;
		f.address.pNext = &f.subgroups;
		f.subgroups.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES_EXT;
		vkGetPhysicalDeviceFeatures2(o.physical, &f.core);
		f.core.features.robustBufferAccess = VK_FALSE;
		used = &f;
	}
	open_device(&o, used);
	prepare(&o);
	work(&o);

	vfm_vulkan own = {0};
	own.size = sizeof own;
	own.api_version = api;
	own.instance = o.instance;
	own.physical_device = o.physical;
	own.device = o.device;
	own.queue = o.queue;
	own.queue_family = o.family;
	own.features = used;
	own.extensions = extensions;
	own.extension_count = used ? EXTENSIONS : 0;
	own.get_instance_proc_addr = (void (*)(void))vkGetInstanceProcAddr;
	own.lock_queue = lock_queue;
	own.unlock_queue = unlock_queue;
	own.cookie = (uint64_t)(uintptr_t)&queue_lock;
	vfm_config cfg = {0};
	cfg.size = sizeof cfg;
	cfg.vulkan = &own;

	locks = 0;
	pthread_t meanwhile;
	if (pthread_create(&meanwhile, NULL, work_on, &o))
		exit(1);
	memset(out, 0, sizeof out);
	restore_picture(&cfg, in, out);
	__atomic_store_n(&o.stop, 1, __ATOMIC_SEQ_CST);
	pthread_join(meanwhile, NULL);
	work(&o);
	int most = 0;
	for (int i = 0; i < 3 * W * H; i++)
		if (abs(out[i] - want[i]) > most)
			most = abs(out[i] - want[i]);
	printf("%s features: %s, largest difference %d; the program's own work went on\n", used ? "all" : "no", locks ? "the queue was locked" : "the queue was never locked", most);

	/* What does not fit is refused. */
	vfm_model model;
	vfm_vulkan wrong = own;
	vfm_config odd = cfg;
	odd.vulkan = &wrong;
	wrong.api_version = VK_API_VERSION_1_0;
	if (vfm_open(&odd, &model, err, sizeof err) != VFM_BAD_REQUEST)
		exit(2);
	printf("refused: %s\n", err);
	wrong = own;
	wrong.queue_family = 1000;
	if (vfm_open(&odd, &model, err, sizeof err) != VFM_BAD_REQUEST)
		exit(2);
	printf("refused: %s\n", err);
	wrong = own;
	wrong.unlock_queue = NULL;
	if (vfm_open(&odd, &model, err, sizeof err) != VFM_BAD_REQUEST)
		exit(2);
	wrong = own;
	wrong.queue = NULL;
	if (vfm_open(&odd, &model, err, sizeof err) != VFM_BAD_REQUEST)
		exit(2);
	wrong = own;
	odd.device = "0";
	if (vfm_open(&odd, &model, err, sizeof err) != VFM_BAD_REQUEST)
		exit(2);
	close_own(&o);
	return most;
}

int main(void)
{
	static unsigned char in[3 * W * H], want[3 * W * H];
	for (int i = 0; i < 3 * W * H; i++)
		in[i] = (unsigned char)(60 + i / 3 % W + (rand() % 41 - 20));
	struct own o = {0};
	open_instance(&o, VK_API_VERSION_1_1); /* for the name of the device */
	vfm_config cfg = {0};
	cfg.size = sizeof cfg;
	cfg.device = o.name;
	restore_picture(&cfg, in, want);
	close_instance(&o);
	int with = compare(VK_API_VERSION_1_2, 1, in, want), older = compare(VK_API_VERSION_1_1, 1, in, want);
	int without = compare(VK_API_VERSION_1_1, 0, in, want);
	printf("messages of the validation layer: %d\n", messages);
	/* Without features other kernels compute, which round differently. */
	return with == 0 && older == 0 && without <= 1 && messages == 0 ? 0 : 1;
}
