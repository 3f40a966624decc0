/* A simulated camera for pipeline.c. Its buffers are like those of libcamera: a file descriptor,
 * planes at offsets in it, and a stride larger than the width. There are few buffers: the camera
 * waits until one is returned. */
#ifndef CAMERA_H_
#define CAMERA_H_

#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CAMERA_W = 96, CAMERA_H = 64, CAMERA_STRIDE = 128, CAMERA_RATE = 25, CAMERA_FRAMES = 12, CAMERA_BUFFERS = 3, CAMERA_START = 4096 };

struct buffer {
	int fd;
	unsigned char *map;
	size_t stride;
	struct {
		size_t offset, length;
	} plane[2];
	int64_t timestamp; /* in ns */
	uint64_t sequence;
	int away; /* the program has it, or gets it next */
};

static struct buffer camera_buffers[CAMERA_BUFFERS];
static uint64_t camera_drawn, camera_taken;
static pthread_mutex_t camera_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t camera_change = PTHREAD_COND_INITIALIZER;
static pthread_t camera_thread;

/* A gradient of brightness with noise, and constant chroma. The padding of rows has other
 * values. */
static void camera_draw(struct buffer *b)
{
	static unsigned seed = 1;
	for (int y = 0; y < CAMERA_H * 3 / 2; y++)
		for (int x = 0; x < CAMERA_STRIDE; x++) {
			unsigned char *luma = b->map + b->plane[0].offset, *chroma = b->map + b->plane[1].offset;
			int noise = 0;
			for (int i = 0; i < 12; i++)
				noise += (int)(rand_r(&seed) % 21) - 10; /* sum has a standard deviation of 21 */
			if (x >= CAMERA_W)
				(y < CAMERA_H ? luma + y * CAMERA_STRIDE : chroma + (y - CAMERA_H) * CAMERA_STRIDE)[x] = 255;
			else if (y < CAMERA_H)
				luma[y * CAMERA_STRIDE + x] = (unsigned char)(70 + x / 2 + y / 2 + noise / 2);
			else
				chroma[(y - CAMERA_H) * CAMERA_STRIDE + x] = x % 2 ? 150 : 110; /* Cb, Cr */
		}
}

static void *camera_run(void *unused)
{
	for (uint64_t i = 0; i < CAMERA_FRAMES; i++) {
		struct buffer *b = &camera_buffers[i % CAMERA_BUFFERS];
		pthread_mutex_lock(&camera_lock);
		while (b->away)
			pthread_cond_wait(&camera_change, &camera_lock);
		pthread_mutex_unlock(&camera_lock);
		camera_draw(b);
		pthread_mutex_lock(&camera_lock);
		b->sequence = i;
		b->timestamp = 1000000000LL * (int64_t)i / CAMERA_RATE;
		b->away = 1;
		camera_drawn = i + 1;
		pthread_cond_broadcast(&camera_change);
		pthread_mutex_unlock(&camera_lock);
	}
	return unused;
}

/* Not 0: the camera did not start. */
static int camera_start(void)
{
	const size_t luma = CAMERA_STRIDE * CAMERA_H, length = CAMERA_START + luma + luma / 2;
	for (int i = 0; i < CAMERA_BUFFERS; i++) {
		struct buffer *b = &camera_buffers[i];
		b->fd = memfd_create("camera", 0);
		if (b->fd < 0 || ftruncate(b->fd, (off_t)length))
			return 1;
		b->map = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, b->fd, 0);
		if (b->map == MAP_FAILED)
			return 1;
		b->stride = CAMERA_STRIDE;
		b->plane[0].offset = CAMERA_START;
		b->plane[0].length = luma;
		b->plane[1].offset = CAMERA_START + luma;
		b->plane[1].length = luma / 2;
	}
	return pthread_create(&camera_thread, NULL, camera_run, NULL);
}

/* Waits for the next filled buffer; NULL: there are no more. */
static struct buffer *camera_next(void)
{
	struct buffer *b = NULL;
	pthread_mutex_lock(&camera_lock);
	while (camera_taken < CAMERA_FRAMES && camera_drawn == camera_taken)
		pthread_cond_wait(&camera_change, &camera_lock);
	if (camera_taken < CAMERA_FRAMES)
		b = &camera_buffers[camera_taken++ % CAMERA_BUFFERS];
	pthread_mutex_unlock(&camera_lock);
	return b;
}

/* The camera may fill it again. Its contents are overwritten, so that a late read is noticed. */
static void camera_give_back(struct buffer *b)
{
	memset(b->map + CAMERA_START, 0, b->plane[0].length + b->plane[1].length);
	pthread_mutex_lock(&camera_lock);
	b->away = 0;
	pthread_cond_broadcast(&camera_change);
	pthread_mutex_unlock(&camera_lock);
}

static void camera_stop(void)
{
	pthread_join(camera_thread, NULL);
	for (int i = 0; i < CAMERA_BUFFERS; i++) {
		munmap(camera_buffers[i].map, CAMERA_START + camera_buffers[i].plane[0].length + camera_buffers[i].plane[1].length);
		close(camera_buffers[i].fd);
	}
}

#endif
