#include "base/self.h"

#include "base/env.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

const char *self_host(void)
{
    static struct utsname machine;

    uname(&machine);
    return machine.nodename;
}

bool host_is_sound(const char *host)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";

    return *host && !host[strspn(host, plain)];
}

char *self_user(char *const *env)
{
    const char *user = env_get_filled(env, "USER");

    if (user)
        return strdup(user);
    errno = 0;
    const struct passwd *entry = getpwuid(geteuid());
    if (!entry && errno == ENOMEM)
        return NULL;
    return strdup(entry ? entry->pw_name : "");
}
