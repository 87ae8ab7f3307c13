#include "conda/receipt.h"

#include "base/scope.h"
#include "conda/paths.h"
#include "section/rules.h"

#include <cyaml/cyaml.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#define FIRST_WORDS "# Receipt of conda-gpu"

/* Each list is left out where it is empty: libcyaml takes no NULL for one. */
#define LIST(key, type, member, entry, limit)                                                      \
    CYAML_FIELD_SEQUENCE(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, &(entry), 0, \
                         limit)
#define TEXT(key, type, member)                                                                    \
    CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, type, member, 0, CYAML_UNLIMITED)
#define TEXT_OR_NONE(key, type, member)                                                            \
    CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, 0,         \
                           CYAML_UNLIMITED)

static const cyaml_schema_value_t text_value = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, CYAML_UNLIMITED),
};

static const cyaml_schema_field_t kept_fields[] = {
    TEXT("path", struct receipt_kept, path),
    TEXT("now", struct receipt_kept, now),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t kept_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct receipt_kept, kept_fields),
};

static const cyaml_schema_field_t export_fields[] = {
    TEXT("path", struct receipt_export, path),
    TEXT("format", struct receipt_export, format),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t export_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct receipt_export, export_fields),
};

static const cyaml_schema_field_t device_fields[] = {
    CYAML_FIELD_INT("number", CYAML_FLAG_DEFAULT, struct receipt_device, number),
    CYAML_FIELD_STRING("uuid", CYAML_FLAG_DEFAULT, struct receipt_device, uuid, 0),
    CYAML_FIELD_STRING("address", CYAML_FLAG_DEFAULT, struct receipt_device, address, 0),
    CYAML_FIELD_STRING("name", CYAML_FLAG_OPTIONAL, struct receipt_device, name, 0),
    CYAML_FIELD_UINT("memory", CYAML_FLAG_OPTIONAL, struct receipt_device, memory),
    CYAML_FIELD_UINT("compute", CYAML_FLAG_OPTIONAL, struct receipt_device, compute),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t device_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct receipt_device, device_fields),
};

static const cyaml_strval_t kinds[] = {
    {"set", VAR_SET}, {"unset", VAR_UNSET}, {"prepend", VAR_PREPEND}, {"append", VAR_APPEND}};

static const cyaml_schema_field_t variable_fields[] = {
    TEXT("name", struct var, name),
    CYAML_FIELD_ENUM("kind", CYAML_FLAG_STRICT, struct var, kind, kinds, CYAML_ARRAY_LEN(kinds)),
    TEXT_OR_NONE("value", struct var, value),
    TEXT_OR_NONE("separator", struct var, separator),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t variable_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct var, variable_fields),
};

static const cyaml_strval_t job_words[] = {{"keep", IN_JOB_KEEP}, {"override", IN_JOB_OVERRIDE}};

static const cyaml_strval_t set_words[] = {{"override", IF_SET_OVERRIDE}, {"keep", IF_SET_KEEP}};

static const cyaml_schema_field_t plan_fields[] = {
    CYAML_FIELD_ENUM("in_job", CYAML_FLAG_STRICT, struct receipt_plan, in_job, job_words,
                     CYAML_ARRAY_LEN(job_words)),
    CYAML_FIELD_ENUM("if_set", CYAML_FLAG_STRICT, struct receipt_plan, if_set, set_words,
                     CYAML_ARRAY_LEN(set_words)),
    CYAML_FIELD_BOOL("unconfirmed", CYAML_FLAG_DEFAULT, struct receipt_plan, unconfirmed),
    LIST("devices", struct receipt_plan, devices, device_value, CYAML_UNLIMITED),
    LIST("variables", struct receipt_plan, variables, variable_value, CYAML_UNLIMITED),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t plan_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct receipt_plan, plan_fields),
};

static const cyaml_schema_field_t rule_fields[] = {
    CYAML_FIELD_UINT("line", CYAML_FLAG_DEFAULT, struct receipt_rule, line),
    LIST("users", struct receipt_rule, users, text_value, CYAML_UNLIMITED),
    CYAML_FIELD_UINT("plan", CYAML_FLAG_DEFAULT, struct receipt_rule, plan),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t rule_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct receipt_rule, rule_fields),
};

static const cyaml_schema_field_t host_fields[] = {
    TEXT("host", struct receipt_host, host),
    TEXT("version", struct receipt_host, version),
    TEXT("source", struct receipt_host, source),
    CYAML_FIELD_BOOL("by_host", CYAML_FLAG_DEFAULT, struct receipt_host, by_host),
    LIST("plans", struct receipt_host, plans, plan_value, CYAML_UNLIMITED),
    LIST("rules", struct receipt_host, rules, rule_value, CYAML_UNLIMITED),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t host_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct receipt_host, host_fields),
};

static const cyaml_schema_field_t receipt_fields[] = {
    CYAML_FIELD_UINT("format", CYAML_FLAG_DEFAULT, struct receipt, format),
    CYAML_FIELD_STRING("state", CYAML_FLAG_DEFAULT, struct receipt, state, STATE_KEY_SIZE - 1),
    LIST("managed", struct receipt, managed, text_value, MANAGED_LIMIT),
    LIST("kept", struct receipt, kept, kept_value, CYAML_UNLIMITED),
    LIST("folders", struct receipt, folders, text_value, CYAML_UNLIMITED),
    LIST("exports", struct receipt, exports, export_value, CYAML_UNLIMITED),
    LIST("hosts", struct receipt, hosts, host_value, CYAML_UNLIMITED),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t receipt_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct receipt, receipt_fields),
};

/* What is read first, whatever else a later format may hold. */
struct any_receipt {
    unsigned format;
};

static const cyaml_schema_field_t any_fields[] = {
    CYAML_FIELD_UINT("format", CYAML_FLAG_DEFAULT, struct any_receipt, format),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t any_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct any_receipt, any_fields),
};

static const cyaml_config_t quiet = {
    .log_fn = NULL,
    .mem_fn = cyaml_mem,
    .log_level = CYAML_LOG_ERROR,
    .flags = CYAML_CFG_NO_ALIAS | CYAML_CFG_IGNORE_UNKNOWN_KEYS,
};

static bool is_key(const char *text)
{
    return strspn(text, "0123456789abcdef") == STATE_KEY_SIZE - 1 && !text[STATE_KEY_SIZE - 1];
}

static bool is_folder_of_ours(const char *path)
{
    for (size_t i = 0; i < OUR_FOLDERS; i++)
        if (strcmp(path, our_folders[i]) == 0)
            return true;
    return false;
}

static bool is_sound_variable(const struct var *var)
{
    bool joins = var->kind == VAR_PREPEND || var->kind == VAR_APPEND;

    return var_name_is_manageable(var->name) && (var->kind == VAR_UNSET) == !var->value &&
           joins == (var->separator != NULL);
}

static const char *find_fault_of_rule(const struct receipt_host *host, unsigned index)
{
    const struct receipt_rule *rule = &host->rules[index];

    if (rule->plan >= host->plans_count)
        return "'rules' holds one whose plan is not there";
    if (!rule->users_count != (index + 1 == host->rules_count))
        return "'rules' does not end with the one that serves everybody";
    for (unsigned i = 0; i < rule->users_count; i++)
        if (!rule_pattern_is_sound(rule->users[i]))
            return "'users' holds one that no rule names";
    return NULL;
}

static const char *find_fault_of_host(const struct receipt_host *host)
{
    const char *fault = host->rules_count ? NULL : "a host has no 'rules'";

    for (unsigned i = 0; i < host->rules_count && !fault; i++)
        fault = find_fault_of_rule(host, i);
    for (unsigned p = 0; p < host->plans_count && !fault; p++)
        for (unsigned i = 0; i < host->plans[p].variables_count && !fault; i++)
            if (!is_sound_variable(&host->plans[p].variables[i]))
                fault = "'variables' holds one that no plan holds";
    return fault;
}

/* What is believed of a receipt, whoever wrote it: names that we would have given. */
static const char *find_fault(const struct receipt *receipt)
{
    if (!is_key(receipt->state))
        return "'state' is not 8 hexadecimal digits";
    for (unsigned i = 0; i < receipt->managed_count; i++)
        if (!var_name_is_manageable(receipt->managed[i]))
            return "'managed' holds a name that no section may hold";
    for (unsigned i = 0; i < receipt->kept_count; i++)
        if (!path_is_kept_as(receipt->kept[i].path, receipt->kept[i].now))
            return "'kept' holds a file that conda-gpu never sets aside";
    for (unsigned i = 0; i < receipt->folders_count; i++)
        if (!is_folder_of_ours(receipt->folders[i]))
            return "'folders' holds one that conda-gpu never makes";
    for (unsigned h = 0; h < receipt->hosts_count; h++) {
        const char *fault = find_fault_of_host(&receipt->hosts[h]);
        if (fault)
            return fault;
    }
    return NULL;
}

/* What we never write, and what libyaml takes the square of its number in time for: lines such as
   "%TAG", and lists such as "[[[". Brackets in values are counted as well. */
static const char *find_bomb(const char *text, size_t length)
{
    enum { MOST_OPEN = 10000 };
    size_t open = 0;

    if ((length && *text == '%') || memmem(text, length, "\n%", 2))
        return "it holds a YAML directive";
    for (size_t i = 0; i < length && open <= MOST_OPEN; i++) {
        if (text[i] == '[' || text[i] == '{')
            open++;
        else if (open && (text[i] == ']' || text[i] == '}'))
            open--;
    }
    return open > MOST_OPEN ? "it holds too many brackets" : NULL;
}

/* NULL with the reason, which is itself NULL where memory ran out. */
static void *load(const char *text, size_t length, const cyaml_schema_value_t *schema,
                  const char **reason)
{
    cyaml_data_t *data = NULL;

    errno = 0; /* libcyaml says of all that went wrong in libyaml the same */
    cyaml_err_t result =
        cyaml_load_data((const uint8_t *)text, length, &quiet, schema, &data, NULL);
    if (result == CYAML_OK && data)
        return data;
    *reason = errno == ENOMEM ? NULL : result == CYAML_OK ? "it is empty" : cyaml_strerror(result);
    return NULL;
}

static struct receipt *load_receipt(const char *text, size_t length, unsigned *format,
                                    const char **reason)
{
    struct any_receipt *any = load(text, length, &any_value, reason);

    if (!any)
        return NULL;
    *format = any->format;
    cyaml_free(&quiet, &any_value, any, 0);
    if (*format != RECEIPT_FORMAT) {
        *reason = "no such format was ever written";
        return NULL;
    }
    scope(receipt_free) struct receipt *receipt = load(text, length, &receipt_value, reason);
    if (receipt)
        *reason = find_fault(receipt);
    return receipt && !*reason ? take(&receipt) : NULL;
}

struct receipt *receipt_parse(const char *text, size_t length, const char *name, struct error *err)
{
    const char *reason = find_bomb(text, length);
    unsigned format = 0;
    struct receipt *receipt = reason ? NULL : load_receipt(text, length, &format, &reason);

    if (receipt)
        return receipt;
    if (format > RECEIPT_FORMAT)
        error_add(err, STATUS_PREFIX,
                  "%s: a newer conda-gpu wrote this receipt (its format is %u, and this conda-gpu "
                  "knows formats up to %d), so nothing was changed; use that newer conda-gpu here",
                  name, format, RECEIPT_FORMAT);
    else if (!reason)
        error_memory(err);
    else
        error_add(
            err, STATUS_PREFIX,
            "%s: this receipt of conda-gpu is damaged, so nothing was changed: %s; put a copy "
            "of it back, or move it away and run again. Without it the hooks are still known, "
            "but files that were kept as .orig or -adopted stay where they are",
            name, reason);
    return NULL;
}

int receipt_print(struct strbuf *out, const struct receipt *receipt, struct error *err)
{
    char *text = NULL;
    size_t length = 0;

    errno = 0;
    cyaml_err_t result = cyaml_save_data(&text, &length, &quiet, &receipt_value, receipt, 0);
    if (result != CYAML_OK && errno == ENOMEM)
        return error_memory(err);
    if (result != CYAML_OK)
        return error_add(err, STATUS_SYSTEM, "cannot write the receipt: %s",
                         cyaml_strerror(result));
    strbuf_adds(out, FIRST_WORDS ", which reads it at its next run. Change the source instead.\n");
    strbuf_add(out, text, length);
    cyaml_mem(NULL, text, 0);
    if (out->failed)
        return error_memory(err);
    const char *bomb = find_bomb(strbuf_text(out), out->length);
    return bomb ? error_add(err, STATUS_INPUT, "no receipt can be written: %s", bomb) : 0;
}

void receipt_free(struct receipt **receipt)
{
    cyaml_free(&quiet, &receipt_value, *receipt, 0);
}

bool receipt_is_ours(const char *text, size_t length)
{
    return length >= strlen(FIRST_WORDS) && memcmp(text, FIRST_WORDS, strlen(FIRST_WORDS)) == 0;
}
