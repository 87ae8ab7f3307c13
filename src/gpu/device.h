/*
 * A CUDA device as the driver describes it, and its UUID and PCI bus ID in text and binary.
 */
#pragma once

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
};

struct device {
    struct uuid uuid; /* of the MIG instance, where the device is one */
    bool mig;
    uint32_t number; /* nvidia-smi's: NVML's where that is there, else the place in PCI order */
    struct pci_address pci;
    char name[DEVICE_NAME_SIZE]; /* any bytes that the driver gave, up to the NUL */
    uint64_t memory;             /* bytes */
    int compute_major;
    int compute_minor;
};

/* Devices in the order in which the driver numbers them. */
struct device_list {
    struct device *items;
    size_t count;
    bool numbered; /* NVML has numbered all of them */
    char *unseen;  /* addresses of GPUs that nvidia-smi numbers and CUDA does not list; or NULL */
};

void device_list_release(struct device_list *list);

/* The index of the device with this UUID, or list->count. */
size_t device_list_find(const struct device_list *list, const struct uuid *uuid);

/* Whether a MIG instance is among them. */
bool device_list_has_mig(const struct device_list *list);

/* Whether the devices' numbers are nvidia-smi's: no MIG instance is among them, and NVML gave the
   numbers, or no GPU is unseen. */
bool device_list_is_countable(const struct device_list *list);

/* Whether each device's number is its place in the list. */
bool device_list_is_in_order(const struct device_list *list);

/* "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6", or "MIG-…". */
const char *uuid_text(const struct device *device, char text[UUID_TEXT_SIZE]);

/* The name as text: UTF-8 without control characters, cut where it is too long. */
const char *device_name_text(const struct device *device, char text[DEVICE_NAME_SIZE]);

/* "GPU-8932f937", which means the device to item_parse as well; of a MIG instance the whole, since
   CUDA takes no part of it. For tables. */
const char *uuid_short(const struct device *device, char text[UUID_TEXT_SIZE]);

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

/* "80 GiB", "39.4 GiB": to one decimal, never more than it has. */
const char *memory_text(uint64_t bytes, char text[MEMORY_TEXT_SIZE]);
