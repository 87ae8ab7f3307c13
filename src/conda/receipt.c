#include "conda/receipt.h"

#include "base/record.h"
#include "base/scope.h"
#include "conda/paths.h"
#include "section/rules.h"

#include <string.h>

#define FIRST_WORDS "# Receipt of conda-gpu"

static const cyaml_schema_value_t text_value = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, CYAML_UNLIMITED),
};

static const cyaml_schema_value_t kept_value =
    RECORD_ENTRY(struct receipt_kept, RECORD_TEXT("path", struct receipt_kept, path),
                 RECORD_TEXT("now", struct receipt_kept, now));

static const cyaml_schema_value_t export_value =
    RECORD_ENTRY(struct receipt_export, RECORD_TEXT("path", struct receipt_export, path),
                 RECORD_TEXT("format", struct receipt_export, format));

/* PLAN_NO_NUMBER is written as -1. */
static const cyaml_schema_value_t device_value = RECORD_ENTRY(
    struct planned_device,
    CYAML_FIELD_INT("number", CYAML_FLAG_DEFAULT, struct planned_device, number),
    CYAML_FIELD_STRING("uuid", CYAML_FLAG_DEFAULT, struct planned_device, uuid, 0),
    CYAML_FIELD_STRING("address", CYAML_FLAG_DEFAULT, struct planned_device, address, 0),
    CYAML_FIELD_STRING("name", CYAML_FLAG_OPTIONAL, struct planned_device, device.name, 0),
    CYAML_FIELD_UINT("memory", CYAML_FLAG_OPTIONAL, struct planned_device, device.memory),
    CYAML_FIELD_UINT("compute", CYAML_FLAG_OPTIONAL, struct planned_device, compute));

static const cyaml_strval_t kinds[] = {
    {"set", VAR_SET}, {"unset", VAR_UNSET}, {"prepend", VAR_PREPEND}, {"append", VAR_APPEND}};

static const cyaml_schema_value_t variable_value = RECORD_ENTRY(
    struct var, RECORD_TEXT("name", struct var, name), RECORD_WORD("kind", struct var, kind, kinds),
    RECORD_TEXT_OR_NONE("value", struct var, value),
    RECORD_TEXT_OR_NONE("separator", struct var, separator));

static const cyaml_strval_t job_words[] = {{"keep", IN_JOB_KEEP}, {"override", IN_JOB_OVERRIDE}};

static const cyaml_strval_t set_words[] = {{"override", IF_SET_OVERRIDE}, {"keep", IF_SET_KEEP}};

static const cyaml_schema_value_t plan_value = RECORD_ENTRY(
    struct plan, RECORD_WORD("in_job", struct plan, in_job, job_words),
    RECORD_WORD("if_set", struct plan, if_set, set_words),
    CYAML_FIELD_BOOL("unconfirmed", CYAML_FLAG_DEFAULT, struct plan, unconfirmed),
    RECORD_ARRAY("devices", struct plan, devices, device_value, CYAML_UNLIMITED),
    RECORD_ARRAY("variables", struct plan, variables, variable_value, CYAML_UNLIMITED));

static const cyaml_schema_value_t rule_value =
    RECORD_ENTRY(struct share, CYAML_FIELD_UINT("line", CYAML_FLAG_DEFAULT, struct share, line),
                 RECORD_ARRAY("users", struct share, users, text_value, CYAML_UNLIMITED),
                 CYAML_FIELD_UINT("plan", CYAML_FLAG_DEFAULT, struct share, plan));

static const cyaml_schema_value_t host_value =
    RECORD_ENTRY(struct receipt_host, RECORD_TEXT("host", struct receipt_host, host),
                 RECORD_TEXT("version", struct receipt_host, version),
                 RECORD_TEXT("source", struct receipt_host, source),
                 CYAML_FIELD_BOOL("by_host", CYAML_FLAG_DEFAULT, struct receipt_host, by_host),
                 RECORD_ARRAY("plans", struct receipt_host, plans, plan_value, CYAML_UNLIMITED),
                 RECORD_ARRAY("rules", struct receipt_host, rules, rule_value, CYAML_UNLIMITED));

static const cyaml_schema_value_t receipt_value = RECORD_DOCUMENT(
    struct receipt, CYAML_FIELD_UINT("format", CYAML_FLAG_DEFAULT, struct receipt, format),
    CYAML_FIELD_STRING("state", CYAML_FLAG_DEFAULT, struct receipt, state, STATE_KEY_SIZE - 1),
    RECORD_ARRAY("managed", struct receipt, managed, text_value, MANAGED_LIMIT),
    RECORD_ARRAY("kept", struct receipt, kept, kept_value, CYAML_UNLIMITED),
    RECORD_ARRAY("folders", struct receipt, folders, text_value, CYAML_UNLIMITED),
    RECORD_ARRAY("exports", struct receipt, exports, export_value, CYAML_UNLIMITED),
    RECORD_ARRAY("hosts", struct receipt, hosts, host_value, CYAML_UNLIMITED));

static bool is_key(const char *text)
{
    return strspn(text, "0123456789abcdef") == STATE_KEY_SIZE - 1 && !text[STATE_KEY_SIZE - 1];
}

/* ---- plans ----------------------------------------------------------------------------------- */

void receipt_read_device(struct planned_device *planned)
{
    struct device *device = &planned->device;

    uuid_parse(planned->uuid, &device->uuid);
    pci_parse(planned->address, &device->pci);
    device->mig = strncmp(planned->uuid, "MIG-", 4) == 0;
    device->compute_major = (int)(planned->compute / 10);
    device->compute_minor = (int)(planned->compute % 10);
}

static enum plan_gpus gpus_of(const struct plan *plan)
{
    const struct var *visible = vars_find(&plan->variables, "CUDA_VISIBLE_DEVICES");

    if (!visible)
        return PLAN_GPUS_AS_BEFORE;
    if (!visible->value)
        return PLAN_GPUS_ALL;
    return strcmp(visible->value, PLAN_NO_GPU) == 0 ? PLAN_GPUS_NONE : PLAN_GPUS_CHOSEN;
}

/* What a receipt does not tell of its plans, since it follows from the rest. */
static struct receipt *complete(struct receipt *receipt)
{
    for (size_t h = 0; h < receipt->hosts.count; h++) {
        struct plans *plans = &receipt->hosts.items[h].plans;
        for (size_t p = 0; p < plans->count; p++) {
            plans->items[p].gpus = gpus_of(&plans->items[p]);
            for (size_t d = 0; d < plans->items[p].devices.count; d++)
                receipt_read_device(&plans->items[p].devices.items[d]);
        }
    }
    return receipt;
}

/* ---- what is believed ------------------------------------------------------------------------ */

static bool is_sound_variable(const struct var *var)
{
    return var_name_is_manageable(var->name) && (var->kind == VAR_UNSET) == !var->value &&
           var_is_list(var) == (var->separator != NULL);
}

static const char *find_fault_of_rule(const struct receipt_host *host, size_t index)
{
    const struct share *rule = &host->rules.items[index];

    if (rule->plan >= host->plans.count)
        return "'rules' holds one whose plan is not there";
    if (!rule->users.count != (index + 1 == host->rules.count))
        return "'rules' does not end with the one that serves everybody";
    for (size_t i = 0; i < rule->users.count; i++)
        if (!rule_pattern_is_sound(rule->users.items[i]))
            return "'users' holds one that no rule names";
    return NULL;
}

static const char *find_fault_of_host(const struct receipt_host *host)
{
    const char *fault = host->rules.count ? NULL : "a host has no 'rules'";

    for (size_t i = 0; i < host->rules.count && !fault; i++)
        fault = find_fault_of_rule(host, i);
    for (size_t p = 0; p < host->plans.count && !fault; p++) {
        const struct var_list *variables = &host->plans.items[p].variables;
        for (size_t i = 0; i < variables->count && !fault; i++)
            if (!is_sound_variable(&variables->items[i]))
                fault = "'variables' holds one that no plan holds";
    }
    return fault;
}

/* What is believed of a receipt, whoever wrote it: names that we would have given. */
static const char *find_fault(const struct receipt *receipt)
{
    if (!is_key(receipt->state))
        return "'state' is not 8 hexadecimal digits";
    for (size_t i = 0; i < receipt->managed.count; i++)
        if (!var_name_is_manageable(receipt->managed.items[i]))
            return "'managed' holds a name that no section may hold";
    for (size_t i = 0; i < receipt->kept.count; i++)
        if (!path_is_kept_as(receipt->kept.items[i].path, receipt->kept.items[i].now))
            return "'kept' holds a file that conda-gpu never sets aside";
    for (size_t i = 0; i < receipt->folders.count; i++)
        if (!text_is_among(receipt->folders.items[i], our_folders, OUR_FOLDERS))
            return "'folders' holds one that conda-gpu never makes";
    for (size_t h = 0; h < receipt->hosts.count; h++) {
        const char *fault = find_fault_of_host(&receipt->hosts.items[h]);
        if (fault)
            return fault;
    }
    return NULL;
}

/* The format that the text tells, whatever else is in it; 0 with a fault. */
static unsigned read_format(const char *text, size_t length, struct record_fault *fault)
{
    struct record_format *any = record_load(text, length, &record_format_value, fault);
    unsigned format = any ? any->format : 0;

    if (any && !format)
        fault->what = strdup("no such format was ever written");
    record_free(&record_format_value, any);
    return format;
}

static struct receipt *load_receipt(const char *text, size_t length, struct record_fault *fault)
{
    scope(receipt_free) struct receipt *receipt = record_load(text, length, &receipt_value, fault);
    const char *wrong = receipt ? find_fault(receipt) : NULL;

    if (wrong)
        fault->what = strdup(wrong);
    return !receipt || wrong ? NULL : complete(take(&receipt));
}

struct receipt *receipt_parse(const char *text, size_t length, const char *name, struct error *err)
{
    scope(record_fault_release) struct record_fault fault = {0};
    unsigned format = read_format(text, length, &fault);
    struct receipt *receipt = format == RECEIPT_FORMAT ? load_receipt(text, length, &fault) : NULL;

    if (format > RECEIPT_FORMAT)
        error_add(err, STATUS_PREFIX,
                  "%s: a newer conda-gpu wrote this receipt (its format is %u, and this conda-gpu "
                  "knows formats up to %d), so nothing was changed; use that newer conda-gpu here",
                  name, format, RECEIPT_FORMAT);
    else if (!receipt && !fault.what)
        error_memory(err);
    else if (!receipt)
        error_add(
            err, STATUS_PREFIX,
            "%s: this receipt of conda-gpu is damaged, so nothing was changed: %s; put a copy "
            "of it back, or move it away and run again. Without it the hooks are still known, "
            "but files that were kept as .orig or -adopted stay where they are",
            name, fault.what);
    return receipt;
}

int receipt_print(struct strbuf *out, const struct receipt *receipt, struct error *err)
{
    scope(record_fault_release) struct record_fault fault = {0};

    strbuf_adds(out, FIRST_WORDS ", which reads it at its next run. Change the source instead.\n");
    if (record_save(out, &receipt_value, receipt, false, &fault) == 0)
        return 0;
    return fault.what
               ? error_add(err, STATUS_INPUT, "the receipt cannot be written: %s", fault.what)
               : error_memory(err);
}

void receipt_free(struct receipt **receipt)
{
    record_free(&receipt_value, *receipt);
}

bool receipt_is_ours(const char *text, size_t length)
{
    return length >= strlen(FIRST_WORDS) && memcmp(text, FIRST_WORDS, strlen(FIRST_WORDS)) == 0;
}
