"""Messages with random content, by their descriptors."""
import random


def value_of(field, depth):
    r = random
    t = field.type
    if t in (field.TYPE_STRING,):
        return "".join(r.choice("aZ\u00e9\u20ac\U0001f600 ") for _ in range(r.choice([0, 1, 5, 200])))
    if t == field.TYPE_BYTES:
        return bytes(r.randrange(256) for _ in range(r.choice([0, 1, 7, 300])))
    if t in (field.TYPE_DOUBLE, field.TYPE_FLOAT):
        return r.choice([0.0, -0.0, 1.5, -1e30, float("inf")])
    if t == field.TYPE_BOOL:
        return r.random() < 0.5
    if t == field.TYPE_ENUM:
        return r.choice([v.number for v in field.enum_type.values])
    signed = t in (field.TYPE_INT32, field.TYPE_INT64, field.TYPE_SINT32, field.TYPE_SINT64,
                   field.TYPE_SFIXED32, field.TYPE_SFIXED64)
    bits = 64 if t in (field.TYPE_INT64, field.TYPE_UINT64, field.TYPE_SINT64, field.TYPE_FIXED64,
                       field.TYPE_SFIXED64) else 32
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    return r.choice([0, 1, low, high, r.randint(low, high), r.randint(0, 127)])


def fill(message, depth=0):
    for field in message.DESCRIPTOR.fields:
        if random.random() < (0.5 if depth == 0 else 0.8) and field.label != field.LABEL_REQUIRED:
            continue
        is_map = field.message_type and field.message_type.GetOptions().map_entry
        if field.label == field.LABEL_REPEATED and is_map:
            key, value = field.message_type.fields
            for _ in range(random.randrange(3)):
                target = getattr(message, field.name)
                if value.message_type:
                    fill(target[value_of(key, depth)], depth + 1)
                else:
                    target[value_of(key, depth)] = value_of(value, depth)
        elif field.label == field.LABEL_REPEATED:
            for _ in range(random.choice([0, 1, 2, 9])):
                if field.message_type:
                    if depth < 3:
                        fill(getattr(message, field.name).add(), depth + 1)
                else:
                    getattr(message, field.name).append(value_of(field, depth))
        elif field.message_type:
            if depth < 3:
                getattr(message, field.name).SetInParent()
                fill(getattr(message, field.name), depth + 1)
        else:
            setattr(message, field.name, value_of(field, depth))
