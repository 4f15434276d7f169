using Frazil.Parquet.Metadata;

namespace Frazil.Parquet.Reading;

/// <summary>What stands before each page.</summary>
internal sealed class PageHeader
{
    public const int DataPage = 0, DictionaryPage = 2, DataPageV2 = 3;

    public int Kind { get; private set; } = -1;

    public int RawBytes { get; private set; } = -1;

    public int StoredBytes { get; private set; } = -1;

    public int? Checksum { get; private set; }

    /// <summary>Entries of a data page, or values of a dictionary.</summary>
    public int Entries { get; private set; } = -1;

    public int Encoding { get; private set; } = -1;

    public int DefinitionEncoding { get; private set; } = -1;

    public int RepetitionEncoding { get; private set; } = -1;

    /// <summary>Of version 2: bytes of levels, which are never compressed.</summary>
    public int DefinitionBytes { get; private set; }

    public int RepetitionBytes { get; private set; }

    public bool IsCompressed { get; private set; } = true;

    /// <exception cref="InvalidDataException">It is broken.</exception>
    public static PageHeader Read(ReadOnlySpan<byte> bytes, out int headerBytes)
    {
        var reader = new ThriftReader(bytes);
        var header = new PageHeader();
        for (var field = 0; reader.NextField(ref field, out var type);)
        {
            header.ReadField(ref reader, field, type);
        }
        headerBytes = reader.Position;
        if (header.RawBytes < 0 || header.StoredBytes < 0 || header.StoredBytes > bytes.Length - headerBytes)
        {
            throw new InvalidDataException(
                $"A Parquet page claims {header.StoredBytes} bytes ({header.RawBytes} without compression), and {bytes.Length - headerBytes} are left.");
        }
        return header;
    }

    private void ReadField(ref ThriftReader reader, int field, ThriftType type)
    {
        switch (field)
        {
            case 1:
                Kind = reader.ReadInt32();
                break;
            case 2:
                RawBytes = reader.ReadInt32();
                break;
            case 3:
                StoredBytes = reader.ReadInt32();
                break;
            case 4:
                Checksum = reader.ReadInt32();
                break;
            case 5 or 7 when type == ThriftType.Struct:
                ReadFirstVersion(ref reader);
                break;
            case 8 when type == ThriftType.Struct:
                ReadSecondVersion(ref reader);
                break;
            default:
                reader.Skip(type);
                break;
        }
    }

    private void ReadFirstVersion(ref ThriftReader reader)
    {
        for (var field = 0; reader.NextField(ref field, out var type);)
        {
            switch (field, type)
            {
                case (1, ThriftType.I32):
                    Entries = reader.ReadInt32();
                    break;
                case (2, ThriftType.I32):
                    Encoding = reader.ReadInt32();
                    break;
                case (3, ThriftType.I32):
                    DefinitionEncoding = reader.ReadInt32();
                    break;
                case (4, ThriftType.I32):
                    RepetitionEncoding = reader.ReadInt32();
                    break;
                default:
                    reader.Skip(type);
                    break;
            }
        }
    }

    private void ReadSecondVersion(ref ThriftReader reader)
    {
        for (var field = 0; reader.NextField(ref field, out var type);)
        {
            switch (field, type)
            {
                case (1, ThriftType.I32):
                    Entries = reader.ReadInt32();
                    break;
                case (4, ThriftType.I32):
                    Encoding = reader.ReadInt32();
                    break;
                case (5, ThriftType.I32):
                    DefinitionBytes = reader.ReadInt32();
                    break;
                case (6, ThriftType.I32):
                    RepetitionBytes = reader.ReadInt32();
                    break;
                case (7, ThriftType.False):
                    IsCompressed = false;
                    break;
                default:
                    reader.Skip(type);
                    break;
            }
        }
    }
}
