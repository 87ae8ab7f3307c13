/*
 * A CUDA device as the driver describes it, and its UUID and PCI bus ID in text and binary.
 */
#pragma once

#include "base/array.h"
#include "base/table.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As in CUuuid: 16 bytes, in the order in which the text form shows them. */
struct uuid {
    unsigned char bytes[16];
};

struct pci_address {
    uint32_t domain;
    uint8_t bus;
    uint8_t device;
    uint8_t function;
};

enum {
    DEVICE_NAME_SIZE = 256, /* with the NUL */
    UUID_TEXT_SIZE = 41,    /* "GPU-" or "MIG-", 32 digits, 4 hyphens, NUL */
    PCI_TEXT_SIZE = 17,     /* "00000000:00:00.0", NUL */
    MEMORY_TEXT_SIZE = 32,
    HIDDEN_TEXT_SIZE = 200,
    HIDDEN_REASON_SIZE = 64,
};

/* Of a card that NVML lists, and nvidia-smi numbers: why CUDA does not show it as a GPU. */
enum hidden {
    HIDDEN_NOT,
    HIDDEN_SPLIT,  /* in MIG mode; its instances are devices */
    HIDDEN_EMPTY,  /* in MIG mode, and without an instance */
    HIDDEN_BESIDE, /* CUDA shows a MIG instance, and before R570 nothing beside it: it can be seen
                      by a process that asks for its UUID */
    HIDDEN_LOST,   /* NVML cannot describe it: what it does not tell is 0 */
    HIDDEN_UNTOLD,
};

struct device {
    struct uuid uuid; /* of the MIG instance, where the device is one */
    bool mig;
    uint32_t number; /* nvidia-smi's: NVML's where that is there, else the place in PCI order */
    struct pci_address pci;
    char name[DEVICE_NAME_SIZE]; /* any bytes that the driver gave, up to the NUL; of a MIG instance
                                    it ends in " MIG 3g.40gb" */
    uint64_t memory;             /* bytes; 0: not told */
    int compute_major;           /* 0: not told */
    int compute_minor;
    enum hidden hidden;
    char reason[HIDDEN_REASON_SIZE]; /* of HIDDEN_LOST */
};

struct devices array_of(struct device);

/* Devices in the order in which the driver numbers them. What NVML adds: see gpu/machine.h. */
struct device_list {
    struct device *items;
    size_t count;
    const char *host; /* whose they are; NULL: this machine's. Not owned */
    bool numbered;    /* NVML has numbered all of them */
    char *unseen; /* addresses of GPUs that nvidia-smi numbers and CUDA does not list; or NULL */
    char *untold; /* why NVML tells nothing of this machine; NULL where it does */
    struct devices instances; /* MIG instances, as NVML lists them; CUDA may show only one */
    struct devices hidden;    /* by number */
};

/* The texts below in a place of their own, which lasts as long as the block that asks for them. */
#define UUID_TEXT(device)   uuid_text(device, (char[UUID_TEXT_SIZE]){0})
#define UUID_SHORT(device)  uuid_short(device, (char[UUID_TEXT_SIZE]){0})
#define PCI_TEXT(pci)       pci_text(pci, (char[PCI_TEXT_SIZE]){0})
#define MEMORY_TEXT(bytes)  memory_text(bytes, (char[MEMORY_TEXT_SIZE]){0})
#define HIDDEN_TEXT(hidden) hidden_text(hidden, (char[HIDDEN_TEXT_SIZE]){0})

void device_list_release(struct device_list *list);

/* For messages: "this machine", or its name. */
const char *device_list_owner(const struct device_list *list);

/* The index of the device with this UUID, or list->count. */
size_t device_list_find(const struct device_list *list, const struct uuid *uuid);

/* Whether a MIG instance is among them. */
bool device_list_has_mig(const struct device_list *list);

/* A GPU that CUDA shows as several devices though it is not in MIG mode, as MPS makes them of its
   locality domains (MPS User Guide, driver 615); NULL if there is none. nvidia-smi gives all of
   them one number. */
const struct device *device_list_divided(const struct device_list *list);

/* Whether the devices' numbers are nvidia-smi's: NVML gave them, or it must be so, since all GPUs
   are in the list and none of them is split. */
bool device_list_is_countable(const struct device_list *list);

/* Whether each device's number is its place in the list. */
bool device_list_is_in_order(const struct device_list *list);

/* Whether nvidia-smi numbers the GPUs in the order of the list. */
bool device_list_is_ascending(const struct device_list *list);

/* The "3g.40gb" of a MIG instance, which is the end of its name; NULL of another device. */
const char *device_profile(const struct device *device);

/* The GPU's name: of a MIG instance that of the card that it is a part of. */
const char *device_card_name(const struct device *device, char name[DEVICE_NAME_SIZE]);

/* Why CUDA does not show it, and what to do, to follow "which CUDA does not show: ". */
const char *hidden_text(const struct device *device, char text[HIDDEN_TEXT_SIZE]);

/* "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6", or "MIG-…". */
const char *uuid_text(const struct device *device, char text[UUID_TEXT_SIZE]);

/* The name as text: UTF-8 without control characters, cut where it is too long. NULL if memory ran
   out. */
const char *device_name_text(const struct device *device, char text[DEVICE_NAME_SIZE]);

/* "GPU-8932f937", which means the device to item_parse as well; of a MIG instance the whole, since
   CUDA takes no part of it. For tables. */
const char *uuid_short(const struct device *device, char text[UUID_TEXT_SIZE]);

bool uuid_is_zero(const struct uuid *uuid);

/* Reads the digits of such a text, of either kind and case. False, and *uuid untouched, for any
   other text. */
bool uuid_parse(const char *text, struct uuid *uuid);

/* "0000:65:00.0"; 8 digits of domain only where 4 are too few. Lower case. item_parse reads
   it. */
const char *pci_text(const struct pci_address *pci, char text[PCI_TEXT_SIZE]);

/* "65:00.0" where the domain is 0, as on most machines. For tables. */
const char *pci_short(const struct pci_address *pci, char text[PCI_TEXT_SIZE]);

/* Reads "DOMAIN:BUS:DEVICE.FUNCTION" or "BUS:DEVICE.FUNCTION" in hexadecimal, any case, with a
   domain of 4 to 8 digits. False, and *pci untouched, for any other text. */
bool pci_parse(const char *text, struct pci_address *pci);

bool pci_equal(const struct pci_address *a, const struct pci_address *b);

/* A number by which addresses are in order. */
uint64_t pci_place(const struct pci_address *pci);

/* What is wrong with a device whose bytes anything may have written, to follow "device 3"; NULL:
   nothing. It may be without a UUID. Sets `mig` to what a bool can be, and `hidden` to HIDDEN_NOT,
   since only gpu/machine.h can tell. */
const char *device_fault(struct device *device);

/* Adds two cells, the PCI bus ID and the UUID: short, or whole. */
void device_cells(struct table *table, const struct device *device, bool whole);

/* "80 GiB", "39.4 GiB": to one decimal, never more than it has. */
const char *memory_text(uint64_t bytes, char text[MEMORY_TEXT_SIZE]);
