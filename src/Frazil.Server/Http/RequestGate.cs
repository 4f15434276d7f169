using System.Net;
using System.Security.Cryptography;
using System.Text;
using Frazil.Config;
using Frazil.Query;
using Frazil.Telemetry;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Frazil.Server.Http;

/// <summary>What every request passes: who may ask, and how what goes wrong is answered.</summary>
internal sealed class RequestGate(ServerOptions options, bool isLoopback, ILogger logger)
{
    private static readonly string[] OpenPaths = ["/", "/healthz", "/readyz"];

    private readonly byte[]? token = options.Token is null ? null : Encoding.UTF8.GetBytes(options.Token);

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            CheckHost(context.Request);
            CheckToken(context.Request);
            CheckOrigin(context.Request);
            await next(context);
            // An endpoint that exists answers for itself; these are the router's own empty answers.
            if (!context.Response.HasStarted
                && context.Response.StatusCode is StatusCodes.Status404NotFound or StatusCodes.Status405MethodNotAllowed)
            {
                throw Unrouted(context);
            }
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is left to answer.
        }
        catch (Exception exception) when (!context.Response.HasStarted)
        {
            await Explain(exception, context).WriteAsync(context);
        }
        catch (Exception exception)
        {
            // The status said that all is well and cannot be taken back: an answer without an end is the only way left to say that it is none.
            _ = Explain(exception, context);
            context.Abort();
        }
    }

    private HttpProblem Explain(Exception exception, HttpContext context)
    {
        switch (exception)
        {
            case HttpProblem problem:
                return problem;
            case SqlException sql:
                return new HttpProblem(StatusCodes.Status400BadRequest, "bad_sql", sql.Message, sql.Position);
            case TimeoutException timeout:
                return new HttpProblem(StatusCodes.Status504GatewayTimeout, "timeout", timeout.Message);
            case OperationCanceledException:
                return new HttpProblem(StatusCodes.Status503ServiceUnavailable, "not_ready", "Frazil is stopping");
            case BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge }:
                return new HttpProblem(
                    StatusCodes.Status413PayloadTooLarge, "too_large", $"the body is larger than {HttpHost.LargestBody} bytes");
            case BadHttpRequestException bad:
                return new HttpProblem(bad.StatusCode, "bad_request", bad.Message);
            default:
                logger.RequestFailed(exception, context.Request.Method, context.Request.Path);
                return new HttpProblem(
                    StatusCodes.Status500InternalServerError, "internal", "the request failed inside Frazil; its log says why");
        }
    }

    /// <summary>A web page that the user visits can point a name of its own at 127.0.0.1 and then read what we answer. Without a token, a
    /// loopback listener therefore only answers to names that are this machine's.</summary>
    private void CheckHost(HttpRequest request)
    {
        var host = request.Host.Host.TrimEnd('.');
        var isOurs = host.Length == 0 || host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || IPAddress.TryParse(host.Trim('[', ']'), out _);
        if (isLoopback && token is null && !isOurs)
        {
            throw new HttpProblem(StatusCodes.Status421MisdirectedRequest, "wrong_host",
                $"requests to \"{host}\" are not answered here; ask for localhost, or set server.token");
        }
    }

    private void CheckToken(HttpRequest request)
    {
        var isReading = HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);
        if (token is null || (isReading && OpenPaths.Contains(request.Path.Value)))
        {
            return;
        }
        const string Scheme = "Bearer ";
        var header = request.Headers.Authorization.ToString();
        var given = header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            ? Encoding.UTF8.GetBytes(header[Scheme.Length..].Trim())
            : [];
        if (!CryptographicOperations.FixedTimeEquals(given, token))
        {
            var what = header.Length == 0 ? "no token was sent" : "the token is not the right one";
            throw new HttpProblem(
                StatusCodes.Status401Unauthorized, "unauthorized", $"{what}; send Authorization: Bearer followed by server.token");
        }
    }

    /// <summary>A web page may send requests to other addresses than its own; the browser then says whose page it is. Where a token is asked
    /// for no such page has it.</summary>
    private void CheckOrigin(HttpRequest request)
    {
        var origin = request.Headers.Origin.ToString();
        if (token is not null || origin.Length == 0 || HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
        {
            return;
        }
        if (!Uri.TryCreate(origin, UriKind.Absolute, out var page) || !IsOf(page, request.Host))
        {
            throw new HttpProblem(StatusCodes.Status403Forbidden, "wrong_origin",
                $"a page of \"{origin}\" may not ask here; open the console of this server itself, or set server.token");
        }
    }

    /// <summary>The page is of the address that was asked. A proxy may speak TLS for us, so that schemes are not compared.</summary>
    private static bool IsOf(Uri page, HostString asked)
        => page.Host.Equals(asked.Host, StringComparison.OrdinalIgnoreCase) && (asked.Port is { } port ? port == page.Port : page.IsDefaultPort);

    private static HttpProblem Unrouted(HttpContext context)
        => context.Response.StatusCode == StatusCodes.Status405MethodNotAllowed
            ? new(
                StatusCodes.Status405MethodNotAllowed, "method_not_allowed",
                $"{context.Request.Path} does not take {context.Request.Method}")
            : new(
                StatusCodes.Status404NotFound, "not_found",
                $"there is nothing at {context.Request.Path}; docs/http.md lists what there is");
}
