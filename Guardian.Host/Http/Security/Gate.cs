using Guardian.Actors.Hosting;

namespace Guardian.Host.Http.Security;

/// <summary>
/// Decides for each request who calls and whether it may. Answers refusals itself; never throws for one.
/// A wrong or missing key is 401 and never a violation.
/// </summary>
internal sealed class Gate(Func<HttpOptions?> options, Func<string?> dataDirectory, Func<string, bool> isProtected, TimeProvider time)
{
    /// <summary>Names the principal of a keyless caller on the bus.</summary>
    public const string PrincipalHeader = "X-Guardian-Principal";

    /// <summary>Longest principal taken from the header; a policy names none longer.</summary>
    public const int MaxPrincipal = 128;

    private const string Bearer = "Bearer ";

    private readonly FailedAuthentications _failures = new(time);
    private volatile Known _known = new(null, new ApiKeyRing([]));
    private volatile byte[]? _adminHash;

    private sealed record Known(object? Source, ApiKeyRing Ring);

    /// <summary>The caller; null where the request was refused and answered.</summary>
    public async ValueTask<Caller?> AdmitAsync(HttpContext context, Rights needed)
    {
        var http = options();
        var ring = RingOf(http);
        var keyless = !ring.Configured;
        if (keyless && (!HostRules.IsLocal(context.Connection.RemoteIpAddress) || !HostRules.IsLoopbackName(context.Request.Host.Host)))
        {
            await Problems.Write(context, 403, "foreign-host", "Only this machine is served",
                "without Guardian:Http:ApiKeys the node answers to localhost, 127.0.0.1 and [::1] alone; configure keys to serve others");
            return null;
        }

        if (HostRules.IsForeignOrigin(context.Request, keyless))
        {
            await Problems.Write(context, 403, "foreign-origin", "Requests of foreign web pages are refused", "the Origin header names another site");
            return null;
        }

        if (needed == Rights.None) return new Caller("anonymous", Rights.None);
        var authorization = context.Request.Headers.Authorization.ToString();
        if (authorization.Length > 0)
        {
            if (Authenticate(authorization, ring) is { } known) return await AuthorizeAsync(context, known, needed, keyless);
            await UnauthenticatedAsync(context, http, "the key is wrong or has expired");
            return null;
        }

        if (keyless && needed == Rights.Read) return new Caller("anonymous", Rights.Read);
        if (keyless && needed == Rights.Bus) return await NamedAsync(context);
        await UnauthenticatedAsync(context, http, keyless
            ? $"send 'Authorization: Bearer' with the key in {AdminKeyFile.Name} of the node's data directory"
            : "send 'Authorization: Bearer <key>'; 'guardian keys new' makes one");
        return null;
    }

    /// <summary>
    /// Whether the caller that was admitted to a request would be admitted now, for answers that stay open: keys expire, are
    /// withdrawn and lose roles meanwhile. Answers nothing and counts no failure.
    /// </summary>
    public bool StillAdmits(HttpContext context, Caller caller, Rights needed)
    {
        var ring = RingOf(options());
        if (needed == Rights.Bus && isProtected(caller.Name)) return false;
        var authorization = context.Request.Headers.Authorization.ToString();
        if (authorization.Length == 0) return !ring.Configured && caller.May(needed);
        return Authenticate(authorization, ring) is { } now && now.May(needed) && (!ring.Configured || now.Name == caller.Name);
    }

    /// <summary>Makes the admin key's hash known, at start or at the first use.</summary>
    public void UseAdminKey(string key) => _adminHash = ApiKeyRing.Hash(key);

    private Caller? Authenticate(string authorization, ApiKeyRing ring)
    {
        if (!authorization.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)) return null;
        var hash = ApiKeyRing.Hash(authorization.AsSpan(Bearer.Length).Trim());
        if (ring.Configured) return ring.Find(hash, time.GetUtcNow());
        return AdminHash() is { } admin && System.Security.Cryptography.CryptographicOperations.FixedTimeEquals(admin, hash)
            ? new Caller("admin", Rights.Administer | Rights.Operate | Rights.Read | Rights.Bus)
            : null;
    }

    private async ValueTask<Caller?> AuthorizeAsync(HttpContext context, Caller caller, Rights needed, bool keyless)
    {
        if (keyless && needed == Rights.Bus) return await NamedAsync(context);
        if (caller.May(needed))
        {
            if (needed != Rights.Bus || !isProtected(caller.Name)) return caller;
            await ProtectedAsync(context, caller.Name);
            return null;
        }

        await Problems.Write(context, 403, "forbidden", "The key's roles do not allow this",
            $"'{caller.Name}' needs the role {RoleOf(needed)}; roles stand in Guardian:Http:ApiKeys");
        return null;
    }

    private async ValueTask<Caller?> NamedAsync(HttpContext context)
    {
        var header = context.Request.Headers[PrincipalHeader];
        var name = header.Count == 1 ? header[0]! : "";
        if (name.Length is 0 or > MaxPrincipal || name.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            await Problems.Write(context, 400, header.Count == 0 ? "principal-missing" : "principal-invalid", "Who is calling?",
                $"send one header {PrincipalHeader} with 1 to {MaxPrincipal} visible ASCII characters, e.g. '{PrincipalHeader}: librarian'");
            return null;
        }

        if (!isProtected(name)) return new Caller(name, Rights.Bus);
        await ProtectedAsync(context, name);
        return null;
    }

    private static Task ProtectedAsync(HttpContext context, string name) =>
        Problems.Write(context, 403, "protected-principal", "This principal cannot be claimed", $"'{name}' is protected by the policy; only Guardian itself speaks for it");

    private Task UnauthenticatedAsync(HttpContext context, HttpOptions? http, string detail)
    {
        var wait = _failures.Fail(context.Connection.RemoteIpAddress, http?.FailedAuthenticationsPerMinute ?? new HttpOptions().FailedAuthenticationsPerMinute);
        if (wait is not null)
            return Problems.TooMany(context, "too-many-failed-authentications", "Too many failed authentications", "wait, then send a valid key", wait);
        context.Response.Headers.WWWAuthenticate = "Bearer realm=\"guardian\"";
        return Problems.Write(context, 401, "unauthenticated", "A valid key is needed", detail);
    }

    private ApiKeyRing RingOf(HttpOptions? http)
    {
        var known = _known;
        if (ReferenceEquals(known.Source, http)) return known.Ring;
        known = new Known(http, new ApiKeyRing(http?.ApiKeys ?? []));
        _known = known;
        return known.Ring;
    }

    private byte[]? AdminHash()
    {
        if (_adminHash is { } hash) return hash;
        if (dataDirectory() is not { } directory) return null;
        try
        {
            UseAdminKey(AdminKeyFile.Ensure(directory));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // no key can be right while there is none
        }

        return _adminHash;
    }

    private static string RoleOf(Rights needed) => needed switch
    {
        Rights.Read => "viewer",
        Rights.Bus => "publisher",
        Rights.Operate => "operator",
        _ => "admin",
    };
}
