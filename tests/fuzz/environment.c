/*
 * From an environment file to the hooks, on machines with and without MIG and without any GPU: any
 * bytes give an error that names the file, or a plan whose hooks are the same each time and are
 * known as ours, and whose deactivation tells its variables and key to a later run. Of every eighth
 * plan, by the input's digest, a real shell is asked whether the hooks do what it says: see
 * oracle.h.
 */
#include "fuzz/fuzz.h"

#include "base/digest.h"
#include "base/scope.h"
#include "fuzz/oracle.h"
#include "hook/render.h"
#include "hook/signature.h"
#include "hook/templates.h"
#include "plan/derive.h"
#include "section/rules.h"

#include <string.h>

enum { ASK_EVERY = 8 };

#define GPU(at, last, address, text, gib, compute)                                                 \
    {                                                                                              \
        .number = (at), .uuid = {{[15] = (last)}}, .pci = {0, address, 0, 0}, .name = text,        \
        .memory = (uint64_t)(gib) << 30, .compute_major = compute                                  \
    }

static struct device four[] = {
    GPU(0, 1, 0x0f, "NVIDIA A100-SXM4-80GB", 80, 8),
    GPU(1, 2, 0x15, "NVIDIA A100-SXM4-40GB\n'; x; '", 40, 8),
    GPU(2, 0x11, 0x47, "NVIDIA H100 80GB HBM3", 80, 9),
    GPU(3, 0x12, 0x65, "Tesla T4", 15, 7),
};

static struct device instances[] = {
    {.uuid = {{[0] = 0xab}}, .mig = true, .pci = {0, 0x0f, 0, 0}, .name = "NVIDIA A100 MIG 1g.5gb"},
    GPU(1, 3, 0x15, "NVIDIA A100-SXM4-40GB", 40, 8),
};

/* The same with what NVML adds. */
static struct device parts[] = {
    {.uuid = {{[0] = 0xab}}, .mig = true, .pci = {0, 0x0f, 0, 0}, .name = "NVIDIA A100 MIG 1g.5gb"},
    {.uuid = {{[0] = 0xac}},
     .mig = true,
     .pci = {0, 0x0f, 0, 0},
     .name = "NVIDIA A100 MIG 3g.20gb"},
};

static struct device hidden[] = {
    {.uuid = {{[15] = 4}},
     .pci = {0, 0x0f, 0, 0},
     .name = "NVIDIA A100-SXM4-40GB",
     .memory = UINT64_C(40) << 30,
     .compute_major = 8,
     .hidden = HIDDEN_SPLIT},
    {.number = 2,
     .uuid = {{[15] = 5}},
     .pci = {0, 0x20, 0, 0},
     .name = "NVIDIA A100-SXM4-40GB",
     .memory = UINT64_C(40) << 30,
     .compute_major = 8,
     .hidden = HIDDEN_BESIDE},
    {.number = 3, .hidden = HIDDEN_LOST, .reason = "GPU is lost"},
};

static const struct device_list machines[] = {
    {.items = four, .count = 4},
    {.items = instances, .count = 2},
    {.items = instances,
     .count = 2,
     .numbered = true,
     .instances = {parts, 2, 2},
     .hidden = {hidden, 3, 3}},
};

static void require_right(const struct section *config)
{
    size_t size = 0;

    require(!config->item_count == !config->items);
    for (size_t i = 0; i < config->variables.count; i++) {
        const struct var *var = &config->variables.items[i];
        require(!var_name_refused(var->name) && vars_find(&config->variables, var->name) == var);
        require((var->kind == VAR_UNSET) == !var->value);
        require((var->kind == VAR_PREPEND || var->kind == VAR_APPEND) == !!var->separator);
        size += var->value ? strlen(var->value) : 0;
    }
    require(config->variables.count <= SECTION_VARIABLES_LIMIT && size <= SECTION_TOTAL_LIMIT);
}

static void require_recalled(const struct strbuf *deactivate, const struct render *in)
{
    scope(names_release) struct names recalled = {0};
    char key[STATE_KEY_SIZE] = "";

    require(signature_recall(deactivate->text, &recalled, key) == 1 && same_text(key, in->key));
    for (size_t i = 0; i < in->managed->count; i++)
        require(names_have(&recalled, in->managed->items[i]));
}

static void render(struct strbuf *out, const struct render *in, const struct shell *shell,
                   const char *direction)
{
    scope(strbuf_release) struct strbuf template = STRBUF_INIT;
    scope(strbuf_release) struct strbuf again = STRBUF_INIT;
    scope(error_release) struct error err = ERROR_INIT;
    char name[24];

    snprintf(name, sizeof name, "%s.%s", direction, shell->extension);
    require(templates_load(&template, NULL, name, &err) == 0);
    require(render_hook(out, in, shell, name, template.text, &err) == 0);
    require(render_hook(&again, in, shell, name, template.text, &err) == 0);
    require(same_text(out->text, again.text) && strlen(out->text) == out->length);
    require(signature_owner(out->text, out->length, in->prefix) == OWNER_US);
}

/* Names whose values change what the shell or env(1) themselves do or say, or what other values
   that refer to them become. */
static bool is_tame(const struct plan *plan)
{
    static const char *const wild[] = {"LD_",     "LC_",    "LANG", "GCONV_",
                                       "LOCPATH", "GLIBC_", "HOME", "USER"};

    for (size_t i = 0; i < plan->variables.count; i++)
        for (size_t j = 0; j < sizeof wild / sizeof *wild; j++)
            if (strncmp(plan->variables.items[i].name, wild[j], strlen(wild[j])) == 0)
                return false;
    return true;
}

static void check_hooks(const struct plan *plan, const char *name, uint64_t digest)
{
    scope(names_release) struct names managed = {0};
    scope(decision_release) struct decision everybody = {0};
    scope(error_release) struct error err = ERROR_INIT;
    const struct share rule = {0};
    const struct served all = {"here", &rule, plan};
    const struct render in = {.decision = &everybody,
                              .managed = &managed,
                              .key = "0123abcd",
                              .prefix = "/p",
                              .environment = name,
                              .source = "dir/environment.yml",
                              .version = "0"};

    require(decision_make(&everybody, &all, 1, false, &err) == 0);
    for (size_t i = 0; i < plan->variables.count; i++)
        require(names_add(&managed, plan->variables.items[i].name) == 0);
    for (size_t i = 0; i < shell_count; i++) {
        scope(strbuf_release) struct strbuf activate = STRBUF_INIT;
        scope(strbuf_release) struct strbuf deactivate = STRBUF_INIT;
        render(&activate, &in, &shells[i], "activate");
        render(&deactivate, &in, &shells[i], "deactivate");
        require_recalled(&deactivate, &in);
        if (i == 0 && digest % ASK_EVERY == 0 && is_tame(plan))
            oracle_check(plan, &activate, &deactivate, digest / ASK_EVERY);
    }
}

/* The driver shows what was selected, where it was listed. */
static void confirm(struct plan *plan, const struct selection *selection)
{
    scope(error_release) struct error err = ERROR_INIT;
    scope(device_list_release) struct device_list seen = {
        .items = calloc(selection->count + 1, sizeof *seen.items), .count = selection->count};

    require(seen.items != NULL);
    for (size_t i = 0; i < selection->count; i++) {
        if (!selection->items[i].device)
            return;
        seen.items[i] = *selection->items[i].device;
    }
    require(!selection->count || plan_confirm(plan, selection, &seen, &err) == 0);
}

static void require_derived(const struct plan *plan)
{
    require(vars_size(&plan->variables) <= SECTION_TOTAL_LIMIT);
    for (size_t i = 0; i < plan->variables.count; i++)
        require(!plan->variables.items[i].value ||
                !strstr(plan->variables.items[i].value, DEVICE_VALUE_BEGIN));
}

static void check_machine(const struct section *config, const struct device_list *machine,
                          uint64_t digest)
{
    scope(selection_release) struct selection selection = {0};
    scope(plan_release) struct plan plan = {0};
    scope(error_release) struct error err = ERROR_INIT;
    struct inventory nothing = {0};
    const struct driver driver = {.inventory = &nothing};
    struct derivation derivation = {.driver = &driver};

    int result = select_devices(&selection, config, machine, &err);
    require_contract(result, &err);
    if (result < 0)
        return;
    require(selection.count <=
            machine->count + machine->hidden.count + machine->instances.count + config->item_count);
    require(plan_make(&plan, config, &selection, &err) == 0);
    confirm(&plan, &selection);
    result = derive(&plan, config, &derivation, &err);
    require_contract(result, &err);
    if (result < 0)
        return;
    require_derived(&plan);
    check_hooks(&plan, config->name ? config->name : "", digest);
}

/* What the rule's people get is right in itself. */
static void check_rule(const struct section *config, const struct rule *rule)
{
    scope(rules_unapply) struct section own = {0};
    scope(error_release) struct error err = ERROR_INIT;

    require(rule->users.count || rule->hosts.count ||
            rule == config->rules.items + config->rules.count - 1);
    int result = rules_apply(&own, config, rule, &err);
    require_contract(result, &err);
    if (result < 0)
        return;
    require_right(&own);
    require(own.item_count == (rule->keys.item_count ? rule->keys.item_count : config->item_count));
    require(own.variables.count >= config->variables.count && !own.rules.count);
}

/* The same bytes as gpu.yml beside an empty environment.yml. */
static void check_beside(const uint8_t *data, size_t size)
{
    const struct section_text environment = {"dir/environment.yml", "name: x\n", 8};
    const struct section_text gpu = {"dir/gpu.yml", (const char *)data, size};
    scope(section_release) struct section config = {0};
    scope(error_release) struct error err = ERROR_INIT;

    int result = section_read_both(&config, &environment, &gpu, &err);
    require_contract(result, &err);
    require(result < 0 || config.name);
}

static void check_unconfirmed(const struct section *config)
{
    scope(selection_release) struct selection selection = {0};
    scope(plan_release) struct plan plan = {0};
    scope(error_release) struct error err = ERROR_INIT;

    int result = select_unconfirmed(&selection, config, &err);
    require_contract(result, &err);
    if (result < 0)
        return;
    require(plan_make(&plan, config, &selection, &err) == 0 && plan.unconfirmed);
    require(strspn(plan_visible(&plan), "0123456789abcdefGPUMI-,") == strlen(plan_visible(&plan)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    scope(section_release) struct section config = {0};
    scope(plan_release) struct plan none = {0};
    scope(error_release) struct error err = ERROR_INIT;
    static const char file[] = "dir/environment.yml:";
    uint64_t digest = digest_add(DIGEST_OF_NOTHING, (const char *)data, size);

    check_beside(data, size);
    int result = section_read(&config, "dir/environment.yml", (const char *)data, size, &err);
    require_contract(result, &err);
    if (result < 0) {
        require(err.status == STATUS_INPUT && !config.items && !config.file);
        require(strncmp(error_text(&err), file, strlen(file)) == 0);
        return 0;
    }
    require_right(&config);
    for (size_t i = 0; i < config.rules.count; i++)
        check_rule(&config, &config.rules.items[i]);
    bool plain = !config.item_count || section_wants_no_gpu(&config) || section_wants_all(&config);
    for (size_t i = 0; !plain && i < sizeof machines / sizeof *machines; i++)
        check_machine(&config, &machines[i], digest);
    if (!plain)
        check_unconfirmed(&config);
    require(plan_make_plain(&none, &config, PLAN_GPUS_NONE, &err) == 0);
    check_hooks(&none, "none", digest);
    return 0;
}
