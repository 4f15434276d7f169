namespace Frazil.Config;

/// <summary>Lists every key with its value and origin.</summary>
internal static class EffectiveSettings
{
    public static List<EffectiveSetting> List(FrazilOptions options, IReadOnlyDictionary<string, string> origins)
    {
        var settings = new List<EffectiveSetting>();
        Add(settings, options, "", ConfigKeys.All, origins);
        for (var index = 0; index < options.Tables.Count; index++)
        {
            Add(settings, options.Tables[index], $"tables[{index}].", TableKeys.All, origins);
        }
        return settings;
    }

    private static void Add<TOwner>(
        List<EffectiveSetting> settings, TOwner owner, string prefix, IReadOnlyList<ConfigKey<TOwner>> keys, IReadOnlyDictionary<string,
        string> origins)
    {
        foreach (var key in keys)
        {
            var path = prefix + key.Path;
            var origin = origins.GetValueOrDefault(path, "default");
            switch (key.Read(owner))
            {
                case null:
                    break;
                case IReadOnlyDictionary<string, string> map when key.Kind == ConfigKind.Properties:
                    settings.AddRange(map.Select(entry => new EffectiveSetting(
                        $"{path}.{entry.Key}", ConfigText.Quote(Secrets.Show(entry.Key, entry.Value)),
                        origins.GetValueOrDefault($"{path}.{entry.Key}", origin))));
                    break;
                case string secret when key.IsSecret && !Secrets.IsReference(secret):
                    settings.Add(new EffectiveSetting(path, ConfigText.Quote(ConfigText.Mask), origin));
                    break;
                case var value:
                    settings.Add(new EffectiveSetting(path, Secrets.WithoutPasswords(ConfigText.Format(value)), origin));
                    break;
            }
        }
    }
}
