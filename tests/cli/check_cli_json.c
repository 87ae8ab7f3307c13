/*
 * What --json prints: one object that docs/output.schema.json describes, whatever becomes of the
 * run; stderr and the exit status are as without it.
 */
#include "support/one_prefix.h"
#include "support/schema.h"

#include "base/scope.h"
#include "base/strbuf.h"

#include <stdlib.h>
#include <string.h>

static json_t *schema;

static void set_up(void)
{
    scope(free_text) char *path = tests_path("../docs/output.schema.json");

    one_prefix_open();
    schema = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    ck_assert_msg(json_is_object(schema), "%s", path);
}

static void tear_down(void)
{
    json_decref(schema);
    one_prefix_close();
}

/* What jq would call by this path: "plan.devices.0.uuid". */
static json_t *look(json_t *value, const char *path)
{
    scope(free_text) char *copy = strdup(path);
    char *rest = copy;

    for (char *key = strsep(&rest, "."); key; key = strsep(&rest, "."))
        value = json_is_array(value) ? json_array_get(value, strtoul(key, NULL, 10))
                                     : json_object_get(value, key);
    return value;
}

/* Lines of sh before; the arguments; what is at a path of the object, as JSON; @: the prefix. */
static const struct {
    const char *before;
    const char *arguments;
    struct {
        const char *path, *value;
    } holds[9];
} runs[] = {
    {"",
     "apply -p envs/pt",
     {{"command", "\"apply\""},
      {"written", "true"},
      {"plan.devices.0.memory", "85899345920"},
      {"environment.prefix", "\"@\""},
      {"files.0.before", "\"absent\""}}},
    {"",
     "apply -p envs/pt -q",
     {{"variables.1.then", "\"1,3\""},
      {"variables.1.now", "null"},
      {"driver_cuda_version", "12040"}}},
    {"", "apply -p envs/pt --check", {{"status", "1"}, {"differs", "true"}, {"written", "false"}}},
    {"", "apply -p envs/pt --dry-run", {{"status", "0"}, {"files.6.differs", "true"}}},
    {"$apply", "apply -p envs/pt --check", {{"status", "0"}, {"differs", "false"}}},
    {"$apply; echo 1 >>envs/pt/etc/conda/activate.d/env_vars.sh",
     "apply -p envs/pt",
     {{"status", "4"}, {"errors.0.status", "4"}, {"errors.0.line", "null"}}},
    {"$CONDA_GPU devices --yaml | sed 's/^host: .*/host: h/' >gpus.yml",
     "apply -p envs/pt --inventory gpus.yml",
     {{"inventory", "\"gpus.yml\""},
      {"hosts.0.host", "\"h\""},
      {"hosts.0.plan.unconfirmed", "true"},
      {"plan.devices.0.number", "1"}}},
    {"echo 'gpu: {devices: 9}' >environment.yml",
     "apply -p envs/pt",
     {{"status", "3"},
      {"plan", NULL},
      {"errors.0.details.0", ""},
      {"errors.0.file", "\"environment.yml\""},
      {"errors.0.line", "1"},
      {"errors.0.column", "16"}}},
    {"printf 'gpu:\\n  devices: 9\\n  assign:\\n    - {user: a, devices: 8}\\n' >environment.yml",
     "apply -p envs/pt",
     {{"status", "3"}, {"errors.0.line", "4"}, {"errors.1.line", "2"}, {"errors.2", NULL}}},
    {"printf 'gpu:\\n  device: 9\\n  ids: x\\n' >environment.yml",
     "apply -p envs/pt",
     {{"status", "2"},
      {"errors.0.file", "\"environment.yml\""},
      {"errors.0.line", "2"},
      {"errors.0.column", "3"},
      {"errors.1.line", "3"}}},
    {"echo 'gpu: {variables: {X: \"$HOME\"}}' >environment.yml",
     "apply -p envs/pt",
     {{"plan.gpus", "\"as before\""}, {"notes.0", ""}, {"driver_cuda_version", "null"}}},
    {"$apply; \"$CONDA_GPU\" export -q -p envs/pt --format dotenv -o .env; echo 'gpu: {devices: "
     "2}' "
     ">environment.yml",
     "apply -p envs/pt",
     {{"exports.0.result", "\"written\""}, {"exports.0.format", "\"dotenv\""}}},
    {"$apply; \"$CONDA_GPU\" export -q -p envs/pt --format dotenv -o .env",
     "remove -p envs/pt",
     {{"exports.0.result", "\"taken out\""},
      {"files.0.result", "\"removed\""},
      {"files.0.now", "null"}}},
    {"", "remove -p envs/pt", {{"status", "0"}, {"files", "[]"}}},
    {"", "remove -p envs/no", {{"status", "4"}, {"environment", NULL}}},
    {"", "devices", {{"devices.0.memory", "85899345920"}, {"driver_cuda_version", "12040"}}},
    {"", "devices --driver /nowhere", {{"status", "3"}, {"devices", NULL}}},
    {"$apply",
     "exec -p envs/pt --dry-run -- python x.py",
     {{"arguments", "[\"python\", \"x.py\"]"}, {"plan.variables.1.value", "\"1,3\""}}},
    {"$apply", "exec -p envs/pt true", {{"status", "2"}, {"plan", NULL}}},
    {"", "exec -p envs/pt -d true", {{"status", "4"}}},
    {"machine",
     "exec --free 1 -d true",
     {{"status", "0"}, {"plan.devices.0.number", "0"}, {"pool", NULL}, {"environment", NULL}}},
    {"machine; lease 1",
     "exec --free 2 -d true",
     {{"status", "6"},
      {"pool.0.state", "\"leased\""},
      {"pool.0.who.user_id", ""},
      {"pool.0.who.command", "\"sleep 300\""},
      {"pool.1.state", "\"in use\""},
      {"pool.1.who.process", "1"},
      {"pool.1.memory_used", "1073741824"},
      {"before", "null"}}},
    {"", "exec --free 0 -d true", {{"status", "2"}, {"pool", NULL}}},
    {"$apply; machine",
     "status -p envs/pt",
     {{"status", "1"},
      {"out_of_step", "true"},
      {"assigned.problem", ""},
      {"devices.0.state", "\"gone\""},
      {"variables.1.state", "\"inactive\""},
      {"gpus.1.processes.0.memory", "1073741824"},
      {"gpus.0.lease", "null"},
      {"not_known", "null"}}},
    {"$apply; machine; lease 1; export SLURM_JOB_ID=7",
     "status",
     {{"status", "0"},
      {"assigned", "null"},
      {"job", "\"7\""},
      {"gpus.0.lease.command", "\"sleep 300\""},
      {"gpus.1.utilization", "42"},
      {"gpus.1.memory", "85899345920"},
      {"plan", NULL}}},
    {"export FAKE_CUDA_MACHINE=$TESTS/machines/busy",
     "status",
     {{"gpus.3.profile", "\"3g.40gb\""},
      {"gpus.3.memory_used", "2147483648"},
      {"gpus.0.persistence", "true"},
      {"gpus.3.utilization", "null"}}},
    {"mkdir alone; cp \"$CONDA_GPU_DRIVER\" alone; export CONDA_GPU_DRIVER=$PWD/alone/libcuda.so.1",
     "status",
     {{"driver", "null"}, {"not_known", ""}, {"gpus.0.processes", "null"}}},
    {"", "status -n no", {{"status", "4"}, {"gpus", NULL}}},
    {"$apply; mkdir -p $HOME/.conda; echo $PWD/envs/pt >$HOME/.conda/environments.txt; machine",
     "status --all",
     {{"status", "1"},
      {"environments.0.prefix", "\"@\""},
      {"environments.0.gone.0", ""},
      {"out_of_step", "true"},
      {"gpus.0.name", "\"H100\""}}},
    {"echo 'gpu: {devices: 0, assign: [{user: [a, b*], devices: 1}]}' >environment.yml",
     "apply --explain --user bob --host there",
     {{"status", "0"},
      {"user", "\"bob\""},
      {"rules.0.users", "[\"a\", \"b*\"]"},
      {"rules.0.serves", "true"},
      {"source.section", ""}}},
    {"echo \"gpu: {devices: 0, assign: [{host: $(uname -n), devices: 1}]}\" >environment.yml; "
     "$apply\n"
     "sed -n '/^- host/,$p' $receipt | sed 's/^- host.*/- host: gone/' >more; cat more >>$receipt",
     "apply -p envs/pt --host gone --forget",
     {{"status", "0"},
      {"forgotten", "\"gone\""},
      {"written", "true"},
      {"files.6.written", "true"}}},
    {"$apply", "apply -p envs/pt --host gone --forget", {{"status", "2"}, {"files", NULL}}},
    {"", "apply --nonsense", {{"status", "2"}, {"command", "\"apply\""}}},
    {"", "apply --diff", {{"status", "2"}}},
};

/* `machine`: two cards of this test alone, the second in use. `lease N`: N of them, for as long as
   the script runs. */
static const char functions[] =
    "machine() { for i in 1 2; do\n"
    "    printf 'gpu GPU-0000000%d-0000-4000-8000-%012x 0000:1%d:00.0 80GiB 9.0 \"H100\"\\n' \\\n"
    "      $i $$ $i; done >machine; printf 'busy 42\\nused 1GiB\\nprocess 1 1GiB\\n' >>machine\n"
    "  export FAKE_CUDA_MACHINE=$PWD/machine; }\n"
    "lease() { \"$CONDA_GPU\" exec --free $1 -- sleep 300 >/dev/null 3>&- &\n"
    "  trap \"kill $!\" EXIT; until grep -q sleep /proc/$!/comm; do sleep 0.01; done; }\n";

START_TEST(object)
{
    scope(free_text) char *script =
        format_text("exec 3>&2 2>/dev/null; export HOME=$PWD/home TESTS=%s\n"
                    "apply=\"$CONDA_GPU apply -q -p envs/pt\" "
                    "receipt=envs/pt/etc/conda/conda-gpu.yml\n%s%s\nexec 2>&3\n"
                    "set -- %s\ncommand=$1; shift\n\"$CONDA_GPU\" \"$command\" --json \"$@\"",
                    getenv("TESTS"), functions, runs[_i].before, runs[_i].arguments);
    json_error_t wrong;

    sandbox_write(&box, "environment.yml", "gpu: {devices: [1, 3]}\n");
    struct outcome got = run_script(script);
    json_t *root = json_loads(got.out, JSON_REJECT_DUPLICATES, &wrong);
    ck_assert_msg(root != NULL, "%s: %s", wrong.text, got.out);
    scope(free_text) char *fault = schema_fault(schema, root);
    ck_assert_msg(!fault, "%s\n%s", fault, got.out);
    ck_assert_int_eq(json_integer_value(json_object_get(root, "status")), got.status);
    size_t messages = json_array_size(json_object_get(root, "errors")) +
                      json_array_size(json_object_get(root, "notes"));
    ck_assert_msg(!*got.err == !messages, "%s", got.err);
    for (size_t i = 0; runs[_i].holds[i].path; i++) {
        json_t *value = look(root, runs[_i].holds[i].path);
        scope(free_text) char *text = json_dumps(value, JSON_ENCODE_ANY);
        const char *wanted = runs[_i].holds[i].value;
        ck_assert_msg(!wanted == !text, "%s in %s", runs[_i].holds[i].path, got.out);
        if (wanted && *wanted)
            check_text(text, wanted);
    }
    json_decref(root);
    outcome_free(&got);
}
END_TEST

START_TEST(exported)
{
    sandbox_write(&box, "environment.yml", "gpu: {devices: [1, 3], variables: {X: {append: a}}}\n");
    must_apply();
    struct outcome got = on_prefix("export", "--format", "json");
    json_t *root = json_loads(got.out, JSON_REJECT_DUPLICATES, NULL);
    scope(free_text) char *fault = schema_fault(schema, root);
    ck_assert_msg(root && !fault, "%s\n%s", fault, got.out);
    json_decref(root);
    outcome_free(&got);
}
END_TEST

/* The schema says no where it should. */
static const char *const unfit[] = {
    "{}",
    "[]",
    "{\"command\": \"apply\", \"status\": 0, \"errors\": []}",
    "{\"command\": \"apply\", \"status\": \"0\", \"errors\": [], \"notes\": []}",
    "{\"command\": \"other\", \"status\": 0, \"errors\": [], \"notes\": []}",
    "{\"command\": \"apply\", \"status\": 0, \"errors\": [], \"notes\": [1]}",
    "{\"command\": \"apply\", \"status\": 0, \"errors\": [], \"notes\": [], \"other\": 1}",
};

START_TEST(schema_refuses)
{
    json_t *root = json_loads(unfit[_i], 0, NULL);
    scope(free_text) char *fault = schema_fault(schema, root);

    ck_assert_msg(fault != NULL, "%s", unfit[_i]);
    json_decref(root);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli: --json");
    TCase *tcase = tcase_create("json");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, object, 0, sizeof runs / sizeof *runs);
    tcase_add_test(tcase, exported);
    tcase_add_loop_test(tcase, schema_refuses, 0, sizeof unfit / sizeof *unfit);
    suite_add_tcase(suite, tcase);
    return test_main(suite);
}
